#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/mix/mix.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  std::vector<std::string> sources;
  MixJob mix;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data mix",
      "Mix rows of several files in an order drawn by a seed, each file with its share. A file "
      "goes through all its rows before any comes again; each row carries where it is from.",
      {"tarsier data mix --source captions.jsonl=3 --source qa.jsonl=1 --rows 1000000 --out mixed",
       "tarsier data mix --source a.jsonl --source b.jsonl --out all"});
  add_output_flags(app, flags.job.output);
  app.add_option("--source", flags.sources,
                 "A file of rows, JSONL or a JSON list, and its weight against the others; without "
                 "one, as many shares as it has rows")
      ->required()
      ->type_name("FILE[=WEIGHT]");
  app.add_option("--from", flags.job.from,
                 "Shape of the rows: tarsier, llava, salmonn2, salmonn2plus or trl; without it, as "
                 "each row's keys say")
      ->type_name("SHAPE");
  add_shape_flag(app, flags.job);
  add_job_flags(app, flags.job);
  app.add_option("--seed", flags.mix.seed, "Which order")->capture_default_str()->type_name("N");
  app.add_option("--rows", flags.mix.rows, "Rows to write; 0: as many as the files have together")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  app.add_option("--skip", flags.mix.skip, "Places of the order to leave out first")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  app.add_option("--batch", flags.mix.batch,
                 "Make runs of so many rows cost about the same to train on; 0: leave the order")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{100'000}))
      ->type_name("N");
  return parse_arguments(app, arguments);
}

MixJob::Source source_named(const std::string& text) {
  MixJob::Source source{text, std::nullopt};
  const std::size_t equals = text.rfind('=');
  if (equals != std::string::npos && !std::filesystem::exists(text)) {
    double weight = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data() + equals + 1, end, weight);
    if (result.ec != std::errc() || result.ptr != end)
      throw ConfigError({"--source", fmt::format("'{}' is not a weight", text.substr(equals + 1)),
                         "give FILE=NUMBER"});
    source = {text.substr(0, equals), weight};
  }
  if (!std::filesystem::is_regular_file(source.file))
    throw InputError(
        {"--source", fmt::format("no file {}", source.file.string()), "check the path"});
  if (source.file.extension() == ".tar" || source.file.extension() == ".gz" ||
      source.file.extension() == ".tgz")
    throw ConfigError({"--source", fmt::format("{} is a tar", source.file.string()),
                       "unpack it with `tarsier data convert` first"});
  return source;
}

}  // namespace

int run_data_mix(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  MixJob& job = flags.mix;
  job.from = shape_named(flags.job.from, "--from");
  job.to = shape_named(flags.job.to, "--to");
  for (const std::string& source : flags.sources) job.sources.push_back(source_named(source));
  job.out = flags.job.out;
  job.max_failures = flags.job.max_failures;
  const MixReport report = run_mix(job, context.stop);

  JobEnd end;
  end.stopped = report.stopped;
  end.goes_on = false;
  end.rows = report.written;
  end.failed = report.failed;
  end.report = report_json(report);
  end.file = job.out / "rows.jsonl";
  end.counts.push_back(
      fmt::format("mix: {} rows written, {} failed", report.written, report.failed));
  for (const auto& source : report.sources)
    end.counts.push_back(fmt::format(
        "{}: {} of {} rows, {:.2f} times through", source.file, source.drawn, source.rows,
        static_cast<double>(source.drawn) / static_cast<double>(source.rows)));
  return end_job(flags.job, end);
}

}  // namespace tarsier
