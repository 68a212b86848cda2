#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/check/check.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

struct Flags {
  JobFlags job;
  CheckSettings settings;
  bool no_media = false;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "data check",
                   "Check rows of training data: roles, answers, media and times, event markers, "
                   "length, preferences. Counts what is wrong by its kind and names the first rows "
                   "of each by file and line. Exits with 3 when a row is bad.",
                   {"tarsier data check --in rows.jsonl",
                    "tarsier data check --in shards/shard-{000000..000012}.tar --decode --json"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  CheckSettings& settings = flags.settings;
  app.add_option("--frames", settings.frames, "Frames that event markers count")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000}));
  app.add_option("--max-tokens", settings.max_tokens,
                 "Most tokens of a row: 1 for 4 bytes of text, 300 for a frame, 16 frames unless "
                 "the row says")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  app.add_option("--first", settings.named, "Rows of each kind to name")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{0}, std::size_t{1'000'000'000}).description(""))
      ->type_name("N");
  auto* no_media = app.add_flag("--no-media", flags.no_media,
                                "Only look whether media is there, do not open it");
  app.add_flag("--decode", settings.decode, "Decode the first and last frame a row means, too")
      ->excludes(no_media);
  if (!parse_arguments(app, arguments)) return false;
  settings.open_media = !flags.no_media;
  return true;
}

/// A folder for what tars hold, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string pattern = fs::temp_directory_path() / "tarsier-check-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
      throw ResourceError({pattern, std::strerror(errno), "set TMPDIR to a folder with room"});
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string table_of(const CheckReport& report) {
  std::string table = fmt::format("{} rows, {} bad\n", report.rows, report.bad_rows);
  for (const auto& [kind, found] : report.problems) {
    table += fmt::format("{}: {} row{}\n", kind, found.rows, found.rows == 1 ? "" : "s");
    for (const std::string& line : found.first) table += fmt::format("  {}\n", line);
  }
  return table;
}

}  // namespace

int run_data_check(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const auto from = shape_named(flags.job.from, "--from");
  const auto inputs = input_files(flags.job);
  const Scratch scratch;
  const CheckReport report = check_rows(inputs, from, flags.settings, worker_count(flags.job),
                                        scratch.path(), context.stop);
  if (report.stopped) {
    log_info(fmt::format("stopped after {} rows", report.rows));
    return kExitOk;  // the signal's exit code is the program's
  }
  print_answer(flags.job.output.json ? report_json(report) : table_of(report));
  return report.bad_rows > 0 ? kExitSomeFailed : kExitOk;
}

}  // namespace tarsier
