#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/shard/shard.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  std::string name = "shard";
  std::uint64_t size = std::uint64_t{1} << 30;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "data shard",
                   "Pack rows of training data with their media into webdataset tars of about one "
                   "size, with an index of what lies where. A row whose media cannot be read is "
                   "named and left out, whole.",
                   {"tarsier data shard --in rows.jsonl --out shards",
                    "tarsier data shard --in rows.jsonl --name train --size 500MB --out shards"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  add_shape_flag(app, flags.job);
  add_job_flags(app, flags.job);
  app.add_option("--name", flags.name, "What the shards are called: NAME-000000.tar ...")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--size", flags.size,
                 "Most bytes of a shard, as 500MB or 2GiB; one row may be larger (default: 1GiB)")
      ->transform(CLI::AsSizeValue(true).description(""))
      ->type_name("BYTES");
  if (!parse_arguments(app, arguments)) return false;
  if (flags.name.empty() || flags.name.find('/') != std::string::npos || flags.name[0] == '.')
    throw ConfigError({"--name",
                       fmt::format("'{}' is not the beginning of a file's name", flags.name),
                       "give letters and digits"});
  if (flags.size == 0 || flags.size > std::uint64_t{1} << 50)
    throw ConfigError(
        {"--size", fmt::format("{} is not a size of shards", flags.size), "give some, as 1GiB"});
  return true;
}

}  // namespace

int run_data_shard(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  ShardJob job;
  job.from = shape_named(flags.job.from, "--from");
  job.to = shape_named(flags.job.to, "--to");
  job.inputs = input_files(flags.job);
  job.out = flags.job.out;
  job.name = flags.name;
  job.shard_bytes = static_cast<std::int64_t>(flags.size);
  job.workers = worker_count(flags.job);
  job.max_failures = flags.job.max_failures;
  const ShardReport report = run_shard(job, context.stop);

  JobEnd end;
  end.stopped = report.stopped;
  end.rows = report.rows;
  end.failed = report.failed;
  end.report = report_json(report);
  end.file = job.out / "index.json";
  end.counts.push_back(fmt::format("shard: {} rows: {} written in {} shards, {} failed",
                                   report.rows, report.written, report.shards, report.failed));
  return end_job(flags.job, end);
}

}  // namespace tarsier
