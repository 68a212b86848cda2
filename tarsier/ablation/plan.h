#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/ablation/pool_plan.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// One row of an ablation's table: a training run, from fresh weights, from its recipe's model or
/// from another row's; or one round of a run of rounds (rollout/rounds.h).
struct AblationRow {
  std::string name;
  std::filesystem::path recipe;        // of rounds: rounds_recipe.h's
  std::vector<std::string> overrides;  // "stages.1.steps=100"
  std::optional<std::string> from;     // an earlier row
  bool fresh = true;                   // without `from`: random weights; false: the recipe's model
  std::optional<PoolPairs> pairs;      // what its first stage learns from
  std::optional<std::int64_t> round;   // from 1; the rounds learn from `pool`
  std::string pool;
};

/// What a table is to show: a score of one row above that of another. A score of errors (miss,
/// hallucination, total) is better when it is lower.
struct AblationClaim {
  std::string better, worse, score, says;
  std::optional<double> at_least = {};  // how much better; below 0 it may be so much worse. Unset:
                                        // more than the spread over seeds
};

/// An ablation: rows trained with equal budgets, seeds, and what the table is to show.
struct AblationPlan {
  std::string level = "base";  // of the world's clips that every row is scored on
  std::int64_t clips = 1000;   // of the test split, the same for all
  std::uint64_t clip_seed = 1;
  std::int64_t questions = 8;     // a clip
  std::vector<AblationRow> rows;  // each after the row it starts from
  std::map<std::string, AnswerPool> pools;
  std::vector<AblationClaim> claims;
  std::string hash;  // SHA-256 over the plan and every row's recipe: results of other plans do not
                     // mix with its own
};

/// Reads a plan, JSON with comments; its recipes' paths are relative to it. ConfigError names the
/// key.
AblationPlan read_ablation_plan(const std::filesystem::path& file);

/// What rows that begin neither afresh nor from another row begin with: SHA-256 of a model's
/// weights (checkpoint/weights_hash.h), several in the order of rows with commas; empty without
/// such a row. Errors as weights_sha256's.
std::string first_weights(const AblationPlan& plan);

/// The recipe of a row for a seed: the seed is that of fresh weights, of the order of data and of
/// the choice of captions, and moves the clips of synthetic sources, so that seeds share none.
/// `parent` is the model directory of the row it starts from, `pairs` the file of those it learns
/// from; empty without.
Recipe ablation_recipe(const AblationRow& row, std::uint64_t seed,
                       const std::filesystem::path& parent,
                       const std::filesystem::path& pairs = {});

}  // namespace tarsier
