#include "tarsier/train/preference/preference_loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tarsier {
namespace {

// training.md 15: D = 7, rewards 0.2 and -0.5; with lengths 20 and 25 the averaged D is 0.3.
constexpr PairLogProbs kPair{{-40, -55}, {-42, -50}, 20, 25};

double value(PreferenceLoss loss, double label_smoothing = 0) {
  return preference_loss(loss, {0.1, label_smoothing}, kPair).value;
}

TEST(PreferenceLoss, HasTheValuesOfThePaperTables) {
  EXPECT_NEAR(value(PreferenceLoss::sigmoid), 0.403186, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::sigmoid, 0.1), 0.473186, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::robust, 0.1), 0.315686, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::hinge), 0.3, 1e-12);
  EXPECT_NEAR(value(PreferenceLoss::sigmoid_norm), 0.678260, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::ipo), 22.09, 1e-9);
  EXPECT_NEAR(value(PreferenceLoss::nca_pair), 1.234247, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::bco_pair), 1.072216, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::apo_zero), 0.827707, 1e-6);
  EXPECT_NEAR(value(PreferenceLoss::apo_down), 0.881646, 1e-6);
}

TEST(PreferenceLoss, DpoPushesBothAnswersAlike) {
  const PairLoss loss = preference_loss(PreferenceLoss::sigmoid, {}, kPair);
  EXPECT_NEAR(loss.by_chosen, -0.033181, 1e-6);
  EXPECT_NEAR(loss.by_rejected, 0.033181, 1e-6);
}

TEST(PreferenceLoss, IsLnTwoWherePolicyAndReferenceAgree) {
  const PairLogProbs same{{-40, -55}, {-40, -55}, 20, 25};
  EXPECT_NEAR(preference_loss(PreferenceLoss::sigmoid, {}, same).value, std::log(2.0), 1e-15);
}

TEST(PreferenceLoss, BcoMeasuresFromTheMeanReward) {
  const PairLoss loss = preference_loss(PreferenceLoss::bco_pair, {}, kPair, 0.3);
  const auto minus_log_sigmoid = [](double x) { return std::log1p(std::exp(-x)); };
  EXPECT_NEAR(loss.value, minus_log_sigmoid(0.2 - 0.3) + minus_log_sigmoid(0.5 + 0.3), 1e-12);
}

TEST(PreferenceLoss, DerivativesAreThoseOfTheValues) {
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < kPreferenceLosses.size(); ++i) {
    const auto kind = static_cast<PreferenceLoss>(i);
    for (const double shift : {-30.0, -3.1, 0.0, 2.9, 30.0}) {
      for (const double smoothing : {0.0, 0.2}) {
        PairLogProbs pair = kPair;
        pair.policy.chosen += shift;
        const PreferenceShape shape{0.1, smoothing};
        const auto at = [&](double chosen, double rejected) {
          PairLogProbs moved = pair;
          moved.policy.chosen += chosen;
          moved.policy.rejected += rejected;
          return preference_loss(kind, shape, moved, 0.05).value;
        };
        const PairLoss loss = preference_loss(kind, shape, pair, 0.05);
        EXPECT_NEAR(loss.by_chosen, (at(kStep, 0) - at(-kStep, 0)) / (2 * kStep), 1e-6)
            << kPreferenceLosses[i] << " " << shift;
        EXPECT_NEAR(loss.by_rejected, (at(0, kStep) - at(0, -kStep)) / (2 * kStep), 1e-6)
            << kPreferenceLosses[i] << " " << shift;
      }
    }
  }
}

TEST(PreferenceLoss, StaysFiniteFarOut) {
  for (std::size_t i = 0; i < kPreferenceLosses.size(); ++i) {
    for (const double far : {-1e5, 1e5}) {
      const PairLogProbs pair{{far, 0}, {0, 0}, 1, 1};
      const PairLoss loss = preference_loss(static_cast<PreferenceLoss>(i), {}, pair);
      EXPECT_TRUE(std::isfinite(loss.value + loss.by_chosen + loss.by_rejected))
          << kPreferenceLosses[i];
    }
  }
}

}  // namespace
}  // namespace tarsier
