#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/train/recipe.h"

namespace tarsier {

/// One row of an ablation's table: a training run, from fresh weights or from another row's model.
struct AblationRow {
  std::string name;
  std::filesystem::path recipe;
  std::vector<std::string> overrides;  // "stages.1.steps=100"
  std::optional<std::string> from;     // an earlier row
};

/// What a table is to show: a score of one row above that of another. A score of errors (miss,
/// hallucination, total) is better when it is lower.
struct AblationClaim {
  std::string better, worse, score, says;
};

/// An ablation: rows trained with equal budgets, seeds, and what the table is to show.
struct AblationPlan {
  std::string level = "base";  // of the world's clips that every row is scored on
  std::int64_t clips = 1000;   // of the test split, the same for all
  std::uint64_t clip_seed = 1;
  std::vector<AblationRow> rows;  // each after the row it starts from
  std::vector<AblationClaim> claims;
  std::string hash;  // SHA-256 over the plan and every row's recipe: results of other plans do not
                     // mix with its own
};

/// Reads a plan, JSON with comments; its recipes' paths are relative to it. ConfigError names the
/// key.
AblationPlan read_ablation_plan(const std::filesystem::path& file);

/// The recipe of a row for a seed: the seed is that of fresh weights, of the order of data and of
/// the choice of captions, and moves the clips of synthetic sources, so that seeds share none.
/// `parent` is the model directory of the row it starts from; empty without one.
Recipe ablation_recipe(const AblationRow& row, std::uint64_t seed,
                       const std::filesystem::path& parent);

}  // namespace tarsier
