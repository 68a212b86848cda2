#pragma once

#include "tarsier/train/sums.h"

namespace tarsier {

/// What pairs are like, for the logs. Sums of doubles and nothing else, as StepLosses.
struct PairReport {
  double pairs = 0;  // how many all below are sums over
  double loss = 0;   // of `losses` alone
  double truth_nll = 0;
  double reward_chosen = 0, reward_rejected = 0, accuracy = 0;  // a tie counts half
  double distance = 0;                                // of the two rewards, without its sign
  double log_prob_chosen = 0, log_prob_rejected = 0;  // of the policy
  double tokens_chosen = 0, tokens_rejected = 0;

  void scale(double factor) { *this = scaled(*this, factor); }
};

}  // namespace tarsier
