#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"

namespace tarsier {

int run_data_convert(const CommandContext& context, Arguments arguments) {
  CLI::App app;
  JobFlags flags;
  describe_command(
      app, "data convert",
      "Rewrite rows of training data in another shape. A row that the shape cannot hold fails and "
      "is named; nothing of a row is dropped. Rows of tars are unpacked, media and all.",
      {"tarsier data convert --in llava.json --to tarsier --out data/tarsier",
       "tarsier data convert --in shards/shard-{000000..000012}.tar --to tarsier --out data/rows"});
  add_output_flags(app, flags.output);
  add_input_flags(app, flags);
  add_shape_flag(app, flags);
  add_job_flags(app, flags);
  if (!parse_arguments(app, arguments)) return kExitOk;
  if (flags.to.empty()) throw ConfigError({"--to", "missing", "see `tarsier data convert --help`"});
  RowStage stage;
  stage.decide = [](Row& row, const std::string&) -> Decision {
    return std::vector{std::move(row.record)};
  };
  return run_stage_command("convert", flags, "{}", stage, context.stop);
}

}  // namespace tarsier
