#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Sees a stage by its name: "vision.patch_embed", "vision.block.0", ..., "vision.merged".
using StageSink = std::function<void(const std::string& stage, const Tensor& x)>;

/// Sees what enters a tower's block 0 (block 0) and what leaves each block (1, 2, ...).
using BlockSink = std::function<void(std::int64_t block, const Tensor& x)>;

/// A tower's blocks as stages: "tower.input", "tower.block.0", ... Empty if `sink` is, which must
/// outlive it.
BlockSink block_stages(const StageSink& sink, std::string tower, std::string input);

}  // namespace tarsier
