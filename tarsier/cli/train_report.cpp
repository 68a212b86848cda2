#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/train/report.h"

namespace tarsier {

int run_train_report(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  std::string run;
  describe_command(app, "train report",
                   "Draw a training run as one page, DIR/report.html, that opens from disk: its "
                   "curves, its answers while learning, its recipe.",
                   {"tarsier train report runs/nano"});
  add_output_flags(app, output);
  app.add_option("DIR", run, "Folder of a run: the --out of tarsier train")->required();
  if (!parse_arguments(app, arguments)) return kExitOk;
  write_report(run);
  const std::string page = (std::filesystem::path(run) / "report.html").string();
  print_answer(output.json ? nlohmann::json{{"report", page}}.dump() + "\n" : page + "\n");
  return kExitOk;
}

}  // namespace tarsier
