#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "tarsier/data/stages/row_stage.h"
#include "tarsier/rollout/sample_rows.h"
#include "tarsier/rollout/score_rows.h"

namespace tarsier {

/// How the jobs of one run use the machine.
struct RowJobs {
  int workers = 1;  // rows at a time
  std::stop_token stop = {};
};

// Stages as steps of something larger: from a file of rows to a folder, going on where they were.
// Each says in the log what came of it and returns its rows' file, or nothing when it was stopped.
// Errors as run_row_stage's.

std::optional<std::filesystem::path> run_row_job(const std::string& name,
                                                 const std::filesystem::path& rows,
                                                 const std::filesystem::path& out,
                                                 const std::string& settings, const RowStage& stage,
                                                 const RowJobs& jobs);
std::optional<std::filesystem::path> sample_rows(const AnsweringModel& model,
                                                 const SampleSettings& settings,
                                                 const std::filesystem::path& rows,
                                                 const std::filesystem::path& out,
                                                 const RowJobs& jobs);
std::optional<std::filesystem::path> score_rows(const ScoreJudges& judges,
                                                const std::filesystem::path& rows,
                                                const std::filesystem::path& out,
                                                const RowJobs& jobs);

}  // namespace tarsier
