#include "tarsier/rollout/row_jobs.h"

#include <fmt/format.h>

#include "tarsier/base/log.h"

namespace tarsier {

namespace fs = std::filesystem;

std::optional<fs::path> run_row_job(const std::string& name, const fs::path& rows,
                                    const fs::path& out, const std::string& settings,
                                    const RowStage& stage, const RowJobs& jobs) {
  StageJob job;
  job.name = name;
  job.inputs = {rows};
  job.out = out;
  job.settings = settings;
  job.workers = jobs.workers;
  const StageReport report = run_row_stage(job, stage, jobs.stop);
  if (report.stopped) return std::nullopt;
  std::int64_t dropped = 0;
  for (const auto& [reason, count] : report.dropped) dropped += count;
  log_info(fmt::format("{}: {} rows, {} written, {} dropped, {} failed", name, report.rows,
                       report.written, dropped, report.failed));
  return out / "rows.jsonl";
}

std::optional<fs::path> sample_rows(const AnsweringModel& model, const SampleSettings& settings,
                                    const fs::path& rows, const fs::path& out,
                                    const RowJobs& jobs) {
  return run_row_job("sample", rows, out, settings.json_of(model),
                     make_sample_stage(model, settings), jobs);
}

std::optional<fs::path> score_rows(const ScoreJudges& judges, const fs::path& rows,
                                   const fs::path& out, const RowJobs& jobs) {
  return run_row_job("score", rows, out, judges.json(), make_score_stage(judges, jobs.stop), jobs);
}

}  // namespace tarsier
