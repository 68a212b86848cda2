#pragma once

#include <utility>
#include <vector>

#include "tarsier/train/preference/preference_loss.h"

namespace tarsier {

/// What a stage of preference training minimises: the mean over the step's samples of a weighted
/// sum of losses on their pairs. A sample that is no pair is learned as in fine-tuning, by the mean
/// over its targets (video-SALMONN 2 mixes questions into its last round so).
struct PreferenceObjective {
  std::vector<std::pair<PreferenceLoss, double>> losses{{PreferenceLoss::sigmoid, 1}};
  PreferenceShape shape;
  double chosen_nll = 0;  // weight of the mean next-token loss of the chosen answer
  double truth_nll = 0;   // of the true caption: gDPO's lambda
};

}  // namespace tarsier
