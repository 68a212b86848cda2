#include "tarsier/cli/data_job.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/machine.h"
#include "tarsier/data/rows/row_input.h"

namespace tarsier {
namespace {

constexpr char kShapes[] = "tarsier, llava, salmonn2, salmonn2plus or trl";

}  // namespace

void add_input_flags(CLI::App& app, JobFlags& flags) {
  app.add_option("--in", flags.inputs,
                 "Rows: JSONL, a JSON list, or webdataset tars (shard-{000000..000012}.tar)")
      ->required()
      ->type_name("FILE");
  app.add_option("--from", flags.from,
                 fmt::format("Shape of the rows: {}; without it, as each row's keys say", kShapes))
      ->type_name("SHAPE");
  app.add_option("--workers", flags.workers,
                 "Rows at a time; 0: one for each core. It changes speed, not what is written")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
}

void add_job_flags(CLI::App& app, JobFlags& flags) {
  app.add_option("--out", flags.out, "Folder of the job, new or empty; or its own, to go on")
      ->required()
      ->type_name("DIR");
  app.add_option("--max-failures", flags.max_failures,
                 "Give up when more rows than this fail; without it, never")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 60).description(""))
      ->type_name("N");
}

void add_shape_flag(CLI::App& app, JobFlags& flags) {
  app.add_option("--to", flags.to,
                 fmt::format("Shape to write: {}; without it, the row's own", kShapes))
      ->type_name("SHAPE");
}

std::vector<std::filesystem::path> input_files(const JobFlags& flags) {
  return expand_inputs(flags.inputs);
}

std::optional<RowFormat> shape_named(const std::string& name, const std::string& flag) {
  if (name.empty()) return std::nullopt;
  return format_named(name, flag);
}

int worker_count(const JobFlags& flags) {
  return flags.workers > 0 ? flags.workers
                           : static_cast<int>(std::max<std::int64_t>(1, read_machine().cores));
}

void require_ascending(double low, double high, const std::string& flag) {
  if (low >= 0 && high >= 0 && low > high)
    throw ConfigError(
        {flag, fmt::format("is {}, above the {} of its other end", low, high), "swap the two"});
}

int end_job(const JobFlags& flags, const JobEnd& end) {
  if (end.stopped) {
    log_info(fmt::format("stopped after {} rows; the same command {}", end.rows,
                         end.goes_on ? "goes on from here" : "begins again and ends the same"));
    return kExitTryAgain;
  }
  for (const std::string& line : end.counts) log_info(line);
  if (flags.output.json) {
    auto json = nlohmann::ordered_json::parse(end.report);
    json["out"] = end.file.string();
    print_answer(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                 "\n");
  } else {
    print_answer(end.file.string() + "\n");
  }
  return end.failed > 0 ? kExitSomeFailed : kExitOk;
}

int run_stage_command(const std::string& name, const JobFlags& flags, const std::string& settings,
                      const RowStage& stage, const std::stop_token& stop,
                      const SummaryLines& lines) {
  StageJob job;
  job.name = name;
  job.from = shape_named(flags.from, "--from");
  job.to = shape_named(flags.to, "--to");
  job.inputs = input_files(flags);
  job.out = flags.out;
  job.settings = settings;
  job.workers = worker_count(flags);
  job.max_failures = flags.max_failures;
  const StageReport report = run_row_stage(job, stage, stop);

  std::int64_t dropped = 0;
  for (const auto& [reason, rows] : report.dropped) dropped += rows;
  JobEnd end;
  end.stopped = report.stopped;
  end.rows = report.rows;
  end.failed = report.failed;
  end.report = report_json(name, report);
  end.file = job.out / "rows.jsonl";
  end.counts.push_back(fmt::format("{}: {} rows: {} kept, {} dropped, {} failed; {} written", name,
                                   report.rows, report.kept, dropped, report.failed,
                                   report.written));
  for (const auto& [reason, rows] : report.dropped)
    end.counts.push_back(fmt::format("dropped for {}: {}", reason, rows));
  if (lines && !report.summary.empty()) {
    for (std::string& line : lines(report.summary)) end.counts.push_back(std::move(line));
  }
  if (dropped + report.failed > 0)
    end.counts.push_back(
        fmt::format("each with its reason: {}", (job.out / "dropped.jsonl").string()));
  return end_job(flags, end);
}

}  // namespace tarsier
