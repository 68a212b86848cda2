#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/synth/clip_rows.h"
#include "tarsier/synth/clip_writer.h"
#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::string level = "base", split = "train", out;
  std::int64_t clips = 100, frames = 0;  // 0: as many as the level wants
  std::uint64_t seed = 1;
  bool unseen = false;
  OutputFlags output;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "data synth",
                   "Write clips of the moving-shapes world as mp4 files, with their exact events, "
                   "descriptions in English, Chinese and Spanish, and "
                   "questions in clips.jsonl. The rows are training data as they stand.",
                   {"tarsier data synth --level base --clips 100 --out data/shapes",
                    "tarsier data synth --split test --seed 7 --clips 10 --out /tmp/clips"});
  add_output_flags(app, flags.output);
  app.add_option("--level", flags.level, level_list())->capture_default_str()->type_name("NAME");
  app.add_option("--clips", flags.clips, "How many")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
  app.add_option("--seed", flags.seed, "Which clips")->capture_default_str()->type_name("N");
  app.add_option("--split", flags.split, "train, validation or test; they never share a clip")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option(
         "--frames", flags.frames,
         "Frames that intervals count in, sampled uniformly; without it, as many as the level "
         "wants")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{200}));
  app.add_flag("--unseen", flags.unseen,
               "Clips with colour-shape pairs that training never shows (test split)");
  app.add_option("--out", flags.out, "Folder to write 000000.mp4 ... and clips.jsonl to")
      ->required()
      ->type_name("DIR");
  return parse_arguments(app, arguments);
}

Split split_named(const std::string& name) {
  if (name == "train") return Split::train;
  if (name == "validation") return Split::validation;
  if (name == "test") return Split::test;
  throw ConfigError(
      {"--split", fmt::format("'{}' is not a split", name), "use train, validation or test"});
}

// A second run of the same command goes on; another's clips in the same folder would be
// mislabelled.
void claim_folder(const fs::path& folder, const std::string& settings) {
  fs::create_directories(folder);
  const fs::path file = folder / "settings.json";
  if (fs::exists(file)) {
    std::ifstream stream(file);
    const std::string before{std::istreambuf_iterator<char>(stream), {}};
    if (before != settings)
      throw ConfigError({"--out", fmt::format("{} holds clips of other settings", folder.string()),
                         "use another folder"});
    return;
  }
  if (fs::exists(folder / "clips.jsonl"))
    throw ConfigError(
        {"--out", fmt::format("{} holds other clips", folder.string()), "use another folder"});
  write_file_atomically(file, settings);
}

}  // namespace

int run_data_synth(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const Level& level = level_named(flags.level);
  if (flags.frames == 0) flags.frames = level.frames;
  const Split split = split_named(flags.split);
  const fs::path folder = flags.out;
  claim_folder(folder, nlohmann::ordered_json{{"level", flags.level},
                                              {"split", flags.split},
                                              {"seed", flags.seed},
                                              {"frames", flags.frames},
                                              {"unseen", flags.unseen}}
                               .dump() +
                           "\n");
  std::string rows;
  for (std::int64_t i = 0; i < flags.clips; ++i) {
    if (context.stop.stop_requested()) {
      log_info(fmt::format("stopped after {} clips; the same command goes on from here", i));
      return kExitOk;  // the signal's exit code is the program's
    }
    const Clip clip =
        make_clip(level, split, flags.seed, static_cast<std::uint64_t>(i), {flags.unseen});
    const std::string name = fmt::format("{:06}.mp4", i);
    if (!fs::exists(folder / name)) write_clip(clip, folder / name);
    rows += clip_row(clip, name, flags.frames) + "\n";
    if ((i + 1) % 100 == 0) log_info(fmt::format("{} of {} clips", i + 1, flags.clips));
  }
  write_file_atomically(folder / "clips.jsonl", rows);
  if (flags.output.json) {
    print_answer(nlohmann::ordered_json{{"clips", flags.clips},
                                        {"out", flags.out},
                                        {"rows", (folder / "clips.jsonl").string()}}
                     .dump() +
                 "\n");
  } else {
    print_answer((folder / "clips.jsonl").string() + "\n");
  }
  return kExitOk;
}

}  // namespace tarsier
