#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// Weights that learn at a rate and decay of their own.
struct WeightGroup {
  std::string match;                   // the beginning of a path; * stands for any characters
  double rate = 1;                     // times the schedule's
  std::optional<double> weight_decay;  // in place of the stage's
};

/// Whether `path` begins with the pattern: "visual.blocks.", "*.mlp.".
bool begins_with(std::string_view path, std::string_view pattern);

/// Tarsier2's layer-wise rate of the vision encoder (training.md 2.6): decay^(blocks + 1) for the
/// patch embedding, decay^(blocks - j) for block j; 1 for the merger and all else.
double vision_layer_rate(std::string_view path, std::int64_t blocks, double decay);

/// The part of the model a weight belongs to: "vision", "projector" (the tower's merger), "sound",
/// "decoder", or "training_only".
std::string_view part_of(std::string_view path);

/// Lets exactly the weights learn whose path begins with one of `train` and with none of `freeze`,
/// and all of "training_only.", which are not the model's. Returns the first pattern that no path
/// begins with.
std::optional<std::string> choose_learning(std::span<Optimizer::Parameter> parameters,
                                           std::span<const std::string> train,
                                           std::span<const std::string> freeze);

/// Gives every parameter its rate and decay: those of the first group that matches, times the
/// layer-wise rate where `vision_layer_decay` is below 1; and names its group, by that pattern or
/// else by its part. Returns the first pattern that no
/// parameter's path begins with.
std::optional<std::string> assign_groups(std::span<Optimizer::Parameter> parameters,
                                         std::span<const WeightGroup> groups,
                                         double vision_layer_decay);

}  // namespace tarsier
