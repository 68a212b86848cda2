#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tarsier {

/// Losses on one pair of answers (training.md 13), by TRL's names.
enum class PreferenceLoss {
  sigmoid,       // -log s(beta D), DPO; with label smoothing cDPO
  robust,        // DPO with the share of swapped labels taken out of the expectation
  hinge,         // max(0, 1 - beta D)
  ipo,           // (D' - 1 / (2 beta))^2, D' of log-probabilities averaged over tokens
  sigmoid_norm,  // -log s(beta D')
  nca_pair,      // -log s(w) - log s(-w) / 2 - log s(-l) / 2
  bco_pair,      // -log s(w - d) - log s(-(l - d)), d the running mean of rewards
  apo_zero,      // 1 - s(w) + s(l)
  apo_down,      // s(w) + 1 - s(w - l)
};
inline constexpr std::array kPreferenceLosses = {
    std::string_view("sigmoid"),  std::string_view("robust"),       std::string_view("hinge"),
    std::string_view("ipo"),      std::string_view("sigmoid_norm"), std::string_view("nca_pair"),
    std::string_view("bco_pair"), std::string_view("apo_zero"),     std::string_view("apo_down")};

/// Log-probabilities of two answers, summed over their tokens and the token that ends the turn.
struct AnswerLogProbs {
  double chosen = 0, rejected = 0;
};

/// A pair as a policy and its reference see it. Rewards are beta times policy minus reference.
struct PairLogProbs {
  AnswerLogProbs policy, reference;
  std::int64_t chosen_tokens = 1, rejected_tokens = 1;
};

/// What a loss needs beside its pair.
struct PreferenceShape {
  double beta = 0.1;
  double label_smoothing = 0;  // of sigmoid and robust: share of labels taken to be swapped, < 0.5
};

struct PairLoss {
  double value = 0;
  double by_chosen = 0, by_rejected = 0;  // derivatives by the policy's log-probabilities
};

/// The loss of one pair and its derivatives. `mean_reward` is bco_pair's d.
PairLoss preference_loss(PreferenceLoss loss, const PreferenceShape& shape,
                         const PairLogProbs& pair, double mean_reward = 0);

}  // namespace tarsier
