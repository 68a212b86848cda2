#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/data/stages/job_folder.h"
#include "tarsier/synth/clip_rows.h"
#include "tarsier/synth/clip_writer.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/text_rows.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::string level = "base", split = "train", out;
  std::int64_t clips = 100, frames = 0;  // 0: as many as the level wants
  std::uint64_t seed = 1;
  bool unseen = false;
  std::vector<std::string> kinds, languages = {"english"};
  TextRowSettings texts;
  OutputFlags output;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data synth",
      "Write clips of the moving-shapes world as mp4 files, with their exact events and sounds, "
      "descriptions in English, Chinese and Spanish, and "
      "questions in clips.jsonl. The rows are training data as they stand; --rows writes rows "
      "of one text each beside them.",
      {"tarsier data synth --level base --clips 100 --out data/shapes",
       "tarsier data synth --split test --seed 7 --clips 10 --out /tmp/clips",
       "tarsier data synth --rows web,commentary --languages english,chinese "
       "--wrong 0.3 --drift 3 --out data/noisy"});
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
  app.add_option("--rows", flags.kinds,
                 "Kinds of text to write to rows.jsonl, a row each, with what is wrong in it: some "
                 "of " +
                     text_kind_names())
      ->delimiter(',')
      ->type_name("LIST");
  app.add_option("--languages", flags.languages, "Languages of --rows: " + language_names())
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("LIST");
  app.add_option("--wrong", flags.texts.web.wrong, "Share of web captions that say something wrong")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app.add_option("--drift", flags.texts.drift.seconds,
                 "Seconds a commentary runs ahead or behind, at most")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("SECONDS");
  app.add_option("--omit", flags.texts.flaws.omit,
                 "Share of the events and sounds a flawed text leaves out")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app.add_option("--invent", flags.texts.flaws.invent,
                 "Events and sounds a flawed text invents, for each that was")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app.add_option("--out", flags.out, "Folder to write 000000.mp4 ... and clips.jsonl to")
      ->required()
      ->type_name("DIR");
  if (!parse_arguments(app, arguments)) return false;
  const bool of_rows = app.count("--languages") + app.count("--wrong") + app.count("--drift") +
                           app.count("--omit") + app.count("--invent") >
                       0;
  if (of_rows && flags.kinds.empty())
    throw ConfigError({"--rows",
                       "missing: --languages, --wrong, --drift, --omit and --invent are about its "
                       "texts",
                       "name the kinds of text, as --rows web"});
  for (const std::string& kind : flags.kinds)
    flags.texts.kinds.push_back(text_kind_named(kind, "--rows"));
  flags.texts.languages.clear();
  for (const std::string& language : flags.languages)
    flags.texts.languages.push_back(language_named(language));
  return true;
}

std::string settings_json(const Flags& flags) {
  nlohmann::ordered_json json{{"level", flags.level},
                              {"split", flags.split},
                              {"seed", flags.seed},
                              {"frames", flags.frames},
                              {"unseen", flags.unseen}};
  if (!flags.kinds.empty()) {
    json["rows"] = flags.kinds;
    json["languages"] = flags.languages;
    json["wrong"] = flags.texts.web.wrong;
    json["drift"] = flags.texts.drift.seconds;
    if (std::find(flags.texts.kinds.begin(), flags.texts.kinds.end(), TextKind::flawed) !=
        flags.texts.kinds.end()) {
      json["omit"] = flags.texts.flaws.omit;
      json["invent"] = flags.texts.flaws.invent;
    }
  }
  return json.dump() + "\n";
}

Split split_named(const std::string& name) {
  if (name == "train") return Split::train;
  if (name == "validation") return Split::validation;
  if (name == "test") return Split::test;
  throw ConfigError(
      {"--split", fmt::format("'{}' is not a split", name), "use train, validation or test"});
}

}  // namespace

int run_data_synth(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const Level& level = level_named(flags.level);
  if (flags.frames == 0) flags.frames = level.frames;
  const Split split = split_named(flags.split);
  const fs::path folder = flags.out;
  claim_job_folder(folder, settings_json(flags));
  std::string rows, texts;
  for (std::int64_t i = 0; i < flags.clips; ++i) {
    if (context.stop.stop_requested()) {
      log_info(fmt::format("stopped after {} clips; the same command goes on from here", i));
      return kExitTryAgain;
    }
    const Clip clip =
        make_clip(level, split, flags.seed, static_cast<std::uint64_t>(i), {flags.unseen});
    const std::string name = fmt::format("{:06}.mp4", i);
    if (!fs::exists(folder / name)) write_clip(clip, folder / name);
    rows += clip_row(clip, name, flags.frames) + "\n";
    for (const std::string& row : text_rows(clip, name, flags.frames, flags.texts))
      texts += row + "\n";
    if ((i + 1) % 100 == 0) log_info(fmt::format("{} of {} clips", i + 1, flags.clips));
  }
  write_file_atomically(folder / "clips.jsonl", rows);
  fs::path answer = folder / "clips.jsonl";
  if (!flags.kinds.empty()) {
    answer = folder / "rows.jsonl";
    write_file_atomically(answer, texts);
  }
  if (flags.output.json) {
    print_answer(nlohmann::ordered_json{
                     {"clips", flags.clips}, {"out", flags.out}, {"rows", answer.string()}}
                     .dump() +
                 "\n");
  } else {
    print_answer(answer.string() + "\n");
  }
  return kExitOk;
}

}  // namespace tarsier
