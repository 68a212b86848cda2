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
    parameter.rate = found ? group->rate : 1;
    parameter.weight_decay = found ? group->weight_decay : std::nullopt;
    if (vision_layer_decay < 1)
      parameter.rate *= vision_layer_rate(parameter.path, blocks, vision_layer_decay);
  }
  for (const WeightGroup& group : groups) {
    const bool any = std::any_of(parameters.begin(), parameters.end(), [&](const auto& parameter) {
      return begins_with(parameter.path, group.match);
    });
    if (!any) return group.match;
  }
  return std::nullopt;
}

}  // namespace tarsier
