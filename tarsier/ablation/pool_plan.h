#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tarsier/base/json.h"
#include "tarsier/data/corrupt/corrupt.h"
#include "tarsier/data/pairs/pair_rule.h"
#include "tarsier/rollout/sample_rows.h"
#include "tarsier/synth/loose_words.h"

namespace tarsier {

/// Between the clips of one seed of an ablation and the next: no recipe has as many seeds of clips
/// of its own.
inline constexpr std::uint64_t kSeedStride = 1'000'000;

/// Clips that a row's model answers about, for pairs: of the train split, with flawed descriptions
/// beside the truth. The answers are scored exactly.
struct AnswerPool {
  std::string from;  // the row whose model answers
  std::int64_t clips = 1000;
  std::uint64_t clip_seed = 100;  // moved by a seed's own stride, as the clips of recipes
  FlawRates flaws;                // of the rows' own descriptions
  std::optional<CorruptionSettings> corrupt;
  SampleSettings sample;
};

/// The pairs a row learns from.
struct PoolPairs {
  std::string pool;
  PairSettings settings;
};

/// Settings of a plan. ConfigError names the key.
AnswerPool read_pool(const JsonView& json);
PoolPairs read_pool_pairs(const JsonView& json);

}  // namespace tarsier
