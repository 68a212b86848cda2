#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/cli/command_line.h"
#include "tarsier/data/formats/format.h"
#include "tarsier/data/stages/row_stage.h"

namespace CLI {
class App;
}

namespace tarsier {

/// Flags that the commands over rows of training data share.
struct JobFlags {
  std::vector<std::string> inputs;
  std::string from, to, out;
  int workers = 0;  // 0: one for each core
  std::int64_t max_failures = -1;
  OutputFlags output;
};

/// --in, --from and --workers.
void add_input_flags(CLI::App& app, JobFlags& flags);
/// --out and --max-failures.
void add_job_flags(CLI::App& app, JobFlags& flags);
/// --to, for commands whose rows may take any shape.
void add_shape_flag(CLI::App& app, JobFlags& flags);

/// The files that --in names. InputError when one is not there.
std::vector<std::filesystem::path> input_files(const JobFlags& flags);
/// Nothing for an empty name. ConfigError naming `flag`.
std::optional<RowFormat> shape_named(const std::string& name, const std::string& flag);
int worker_count(const JobFlags& flags);

/// ConfigError when `low` is above `high`, unless one of them is below 0: not given.
void require_ascending(double low, double high, const std::string& flag);

/// What a job came to, for people and programs.
struct JobEnd {
  bool stopped = false;
  bool goes_on = true;  // behind what a stopped run did; false: the next begins again
  std::int64_t rows = 0, failed = 0;
  std::vector<std::string> counts;  // lines for people: what was written, what was dropped and why
  std::string report;               // JSON text of the whole
  std::filesystem::path file;       // what the next command takes
};

/// Counts to the log, the file (with --json the report and `out`) to standard output. Returns
/// kExitSomeFailed when rows failed, kExitTryAgain after a stop.
int end_job(const JobFlags& flags, const JobEnd& end);

/// Lines for people of a stage's summary (RowStage::summary).
using SummaryLines = std::function<std::vector<std::string>(const std::string& summary)>;

/// A job of stages/row_stage.h from flags to its exit code. `settings`: all else that decides what
/// comes out, as JSON text. `lines` may be empty.
int run_stage_command(const std::string& name, const JobFlags& flags, const std::string& settings,
                      const RowStage& stage, const std::stop_token& stop,
                      const SummaryLines& lines = {});

}  // namespace tarsier
