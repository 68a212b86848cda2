#include "tarsier/train/optimizer/groups.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tarsier {
namespace {

constexpr std::string_view kBlocks = "visual.blocks.";

// nullopt for what is not in a block.
std::optional<std::int64_t> block_of(std::string_view path) {
  if (!path.starts_with(kBlocks)) return std::nullopt;
  std::int64_t block = 0;
  std::from_chars(path.data() + kBlocks.size(), path.data() + path.size(), block);
  return block;
}

// The first of `patterns` that no parameter's path begins with.
template <class Patterns>
std::optional<std::string> first_unused(std::span<Optimizer::Parameter> parameters,
                                        const Patterns& patterns) {
  for (const std::string& pattern : patterns) {
    if (std::none_of(parameters.begin(), parameters.end(),
                     [&](const auto& parameter) { return begins_with(parameter.path, pattern); }))
      return pattern;
  }
  return std::nullopt;
}

}  // namespace

bool begins_with(std::string_view path, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return path.starts_with(pattern);
  if (!path.starts_with(pattern.substr(0, star))) return false;
  for (std::size_t from = star; from <= path.size(); ++from) {
    if (begins_with(path.substr(from), pattern.substr(star + 1))) return true;
  }
  return false;
}

double vision_layer_rate(std::string_view path, std::int64_t blocks, double decay) {
  if (path.starts_with("visual.patch_embed.")) return std::pow(decay, blocks + 1);
  const std::optional<std::int64_t> block = block_of(path);
  return block ? std::pow(decay, blocks - *block) : 1.0;
}

std::string_view part_of(std::string_view path) {
  if (path.starts_with("training_only.")) return "training_only";
  if (path.starts_with("model.") || path.starts_with("lm_head.")) return "decoder";
  if (path.starts_with("visual.merger.") || path.find("projector") != std::string_view::npos)
    return "projector";
  return path.starts_with("visual.") || path.starts_with("vision_tower.") ? "vision" : "sound";
}

std::optional<std::string> choose_learning(std::span<Optimizer::Parameter> parameters,
                                           std::span<const std::string> train,
                                           std::span<const std::string> freeze) {
  for (Optimizer::Parameter& parameter : parameters) {
    const auto named = [&](std::span<const std::string> patterns) {
      return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return begins_with(parameter.path, pattern);
      });
    };
    parameter.weight.requires_grad_(part_of(parameter.path) == "training_only" ||
                                    (named(train) && !named(freeze)));
  }
  const auto unused = first_unused(parameters, train);
  return unused ? unused : first_unused(parameters, freeze);
}

std::optional<std::string> assign_groups(std::span<Optimizer::Parameter> parameters,
                                         std::span<const WeightGroup> groups,
                                         double vision_layer_decay) {
  std::int64_t blocks = 0;
  for (const Optimizer::Parameter& parameter : parameters)
    blocks = std::max(blocks, block_of(parameter.path).value_or(-1) + 1);
  for (Optimizer::Parameter& parameter : parameters) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const WeightGroup& each) {
      return begins_with(parameter.path, each.match);
    });
    const bool found = group != groups.end();
    parameter.group = found ? (group->match.empty() ? "all" : group->match)
                            : std::string(part_of(parameter.path));
    parameter.rate = found ? group->rate : 1;
    parameter.weight_decay = found ? group->weight_decay : std::nullopt;
    if (vision_layer_decay < 1)
      parameter.rate *= vision_layer_rate(parameter.path, blocks, vision_layer_decay);
  }
  std::vector<std::string> patterns;
  for (const WeightGroup& group : groups) patterns.push_back(group.match);
  return first_unused(parameters, patterns);
}

}  // namespace tarsier
