#include "tarsier/train/preference/preference_loss.h"

#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

double log_sigmoid(double x) {
  return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}

// A loss by the two rewards w and l, and its derivatives by them.
struct RewardLoss {
  double value, by_chosen, by_rejected;
};

// A loss f of w - l alone.
RewardLoss of_margin(double value, double slope) { return {value, slope, -slope}; }

// -(1 - e) log s(m) - e log s(-m), over `scale`.
RewardLoss smoothed(double margin, double kept, double swapped, double scale) {
  return of_margin((-kept * log_sigmoid(margin) - swapped * log_sigmoid(-margin)) / scale,
                   (-kept * sigmoid(-margin) + swapped * sigmoid(margin)) / scale);
}

RewardLoss by_rewards(PreferenceLoss loss, const PreferenceShape& shape, double w, double l,
                      double mean_reward) {
  const double e = shape.label_smoothing;
  switch (loss) {
    case PreferenceLoss::sigmoid:
      return smoothed(w - l, 1 - e, e, 1);
    case PreferenceLoss::robust:
      return smoothed(w - l, 1 - e, -e, 1 - 2 * e);
    case PreferenceLoss::sigmoid_norm:
      return smoothed(w - l, 1, 0, 1);
    case PreferenceLoss::hinge: {
      const double short_of = 1 - (w - l);
      return of_margin(std::fmax(0, short_of), short_of > 0 ? -1 : 0);
    }
    case PreferenceLoss::ipo: {
      const double over = (w - l) / shape.beta - 1 / (2 * shape.beta);
      return of_margin(over * over, 2 * over / shape.beta);
    }
    case PreferenceLoss::nca_pair:
      return {-log_sigmoid(w) - 0.5 * log_sigmoid(-w) - 0.5 * log_sigmoid(-l),
              -sigmoid(-w) + 0.5 * sigmoid(w), 0.5 * sigmoid(l)};
    case PreferenceLoss::bco_pair:
      return {-log_sigmoid(w - mean_reward) - log_sigmoid(-(l - mean_reward)),
              -sigmoid(-(w - mean_reward)), sigmoid(l - mean_reward)};
    case PreferenceLoss::apo_zero: {
      const double sw = sigmoid(w), sl = sigmoid(l);
      return {1 - sw + sl, -sw * (1 - sw), sl * (1 - sl)};
    }
    case PreferenceLoss::apo_down: {
      const double sw = sigmoid(w), sm = sigmoid(w - l);
      return {sw + 1 - sm, sw * (1 - sw) - sm * (1 - sm), sm * (1 - sm)};
    }
  }
  throw_broken_promise("PreferenceLoss has no other value");
}

}  // namespace

PairLoss preference_loss(PreferenceLoss loss, const PreferenceShape& shape,
                         const PairLogProbs& pair, double mean_reward) {
  const bool averaged = loss == PreferenceLoss::ipo || loss == PreferenceLoss::sigmoid_norm;
  const double chosen_scale =
      shape.beta / (averaged ? static_cast<double>(pair.chosen_tokens) : 1.0);
  const double rejected_scale =
      shape.beta / (averaged ? static_cast<double>(pair.rejected_tokens) : 1.0);
  const RewardLoss result =
      by_rewards(loss, shape, chosen_scale * (pair.policy.chosen - pair.reference.chosen),
                 rejected_scale * (pair.policy.rejected - pair.reference.rejected), mean_reward);
  return {result.value, result.by_chosen * chosen_scale, result.by_rejected * rejected_scale};
}

}  // namespace tarsier
