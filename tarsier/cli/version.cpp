#include "tarsier/cli/version.h"

#include <fmt/format.h>
#include <git_commit.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/media/ffmpeg_version.h"

namespace tarsier {
BuildInfo build_info() {
  return {TARSIER_VERSION, kGitCommit, TARSIER_COMPILER, TORCH_VERSION, ffmpeg_version()};
}

int run_version(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  describe_command(app, "version", "What this build is.",
                   {"tarsier version", "tarsier version --json"});
  add_output_flags(app, output);
  if (!parse_arguments(app, arguments)) return kExitOk;

  const BuildInfo info = build_info();
  if (output.json) {
    const nlohmann::ordered_json json = {{"version", info.version},
                                         {"commit", info.commit},
                                         {"compiler", info.compiler},
                                         {"libtorch", info.libtorch},
                                         {"ffmpeg", info.ffmpeg}};
    print_answer(json.dump() + "\n");
  } else {
    print_answer(fmt::format("tarsier {} ({})\n{}, libtorch {}, FFmpeg {}\n", info.version,
                             info.commit, info.compiler, info.libtorch, info.ffmpeg));
  }
  return kExitOk;
}

}  // namespace tarsier
