#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/data/corrupt/corrupt.h"
#include "tarsier/data/pairs/pair_rule.h"
#include "tarsier/rollout/sample_rows.h"

namespace tarsier {

/// A run of several rounds of preference training on the model's own answers (arXiv 2506.15220;
/// training.md 7.4). Of each round the policy samples, a judge scores, pairs are chosen, and a
/// training by `train` starts from that policy, which is its reference too.
struct RoundsRecipe {
  std::filesystem::path model;  // the first policy
  std::filesystem::path rows;   // questions with their truth
  std::int64_t rounds = 6;
  std::int64_t rows_per_round = 0;  // the next so many of the rows, again from the first behind the
                                    // last; 0: all
  std::optional<std::filesystem::path> validation;  // rows that show whether a round was worth it
  double min_gain = 0;  // of errors per event there: a round that gains no more is the last
  std::optional<CorruptionSettings> corrupt;
  SampleSettings sample = default_sampling();
  PairSettings pairs = default_pairs();
  std::string train;  // a recipe without model, as JSON; a jsonl file named "pairs" is the round's
  std::string hash;   // SHA-256 of all settings but the number of rounds

  static SampleSettings default_sampling();  // two answers at temperature 1 and top-p 0.9
  static PairSettings default_pairs();       // by errors per event, of the intact video
};

/// Reads a JSONC file; paths are relative to it. `overrides` as read_recipe's. ConfigError names
/// the key; the recipe in `train` is checked when a round has its pairs, but for its kind.
RoundsRecipe read_rounds_recipe(const std::filesystem::path& file,
                                const std::vector<std::string>& overrides = {});

/// The recipe of a round's training, for a file in the round's folder: JSON text.
std::string round_training(const RoundsRecipe& recipe, std::int64_t round,
                           const std::string& policy, const std::string& pairs);

}  // namespace tarsier
