#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "tarsier/rollout/rounds_recipe.h"
#include "tarsier/rollout/score_rows.h"
#include "tarsier/train/run_facts.h"
#include "tarsier/train/trainer.h"

namespace tarsier {

struct RoundsOptions {
  std::filesystem::path out;  // round_00 ... and, at the end, model/
  ScoreJudges judges;  // of what the pairs' rule weighs, and errors where there is validation
  int workers = 1;     // rows at a time
  Facts machine = {};
  at::Device device = at::kCPU;
  std::stop_token stop = {};
};

/// What a round's folder says of it when it is done: lineage.json (docs/data-formats.md).
struct RoundLineage {
  std::int64_t round = 0;
  std::string policy, reference;  // hashes of the weights that it began with
  std::string rows, pairs;        // SHA-256 of the files; empty of round 0, which trains nothing
  std::string model;              // of the weights it ends with
  std::int64_t pair_count = 0;
  // On the validation rows, greedy: errors per event, recall and precision (means over rows), and
  // how many rows had no score.
  std::optional<double> error, recall, precision;
  std::int64_t failed = 0;
};

/// Where a run's round is; 0 is the first policy.
std::filesystem::path round_folder(const std::filesystem::path& out, std::int64_t round);

nlohmann::ordered_json lineage_json(const RoundLineage& lineage);

/// Reads a round's lineage; nothing when it is not done. CheckpointError for a file that is none.
std::optional<RoundLineage> read_lineage(const std::filesystem::path& round);

/// Runs all rounds, or goes on where it was left: killed at any moment, the same command ends with
/// the same weights. Each round has a folder: rows, corruptions, samples, scores, pairs, the
/// training's run, the validation's samples and scores, and last its lineage. A round after which
/// the validation's errors have not fallen by more than `min_gain` is the last; model/ is that of
/// the best round, without validation of the last. ConfigError when `out` holds another recipe's.
TrainOutcome run_rounds(const RoundsRecipe& recipe, const RoundsOptions& options);

}  // namespace tarsier
