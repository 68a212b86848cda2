#pragma once

#include "tarsier/train/preference/pair_report.h"

namespace tarsier {

/// Losses of one micro-batch or, added up, of one step. Sums of doubles and nothing else: ranks and
/// logs add them up member by member.
struct StepLosses {
  double total = 0, next_token = 0, accuracy = 0, visual_words = 0, event_probe = 0,
         event_cells = 0;
  PairReport pairs;

  void add(const StepLosses& other) { *this = added(*this, other); }
  void scale(double factor) { *this = scaled(*this, factor); }
};

}  // namespace tarsier
