#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/eval/world.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

struct Flags {
  OutputFlags output;
  ModelFlags model;
  WorldEvalSettings settings;
  std::string split = "test", language = "english";
  std::string out;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "eval world",
      "Score a model on held-out clips of the moving-shapes world. Every clip is written as an mp4 "
      "file, read back and "
      "described; the truth is known exactly, so no judge is needed.",
      {"tarsier eval world", "tarsier eval world --level base --clips 500 --seed 7 --json",
       "tarsier eval world --clips 50 --unseen 50 --out results/"});
  add_output_flags(app, flags.output);
  add_model_flags(app, flags.model);
  WorldEvalSettings& settings = flags.settings;
  app.add_option("--level", settings.level, "Level of the world: " + level_list())
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--language", flags.language,
                 "Language of prompts, questions and answers: " + language_names())
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--clips", settings.clips, "Clips of ordinary colour-shape pairs")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  app.add_option("--unseen", settings.unseen_clips,
                 "More clips, with colour-shape pairs that training never shows")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  app.add_option("--questions", settings.questions_per_clip, "Questions a clip")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{100}));
  app.add_option("--seed", settings.seed, "Which clips")->capture_default_str()->type_name("N");
  app.add_option("--split", flags.split, "test, or validation for choosing settings")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--out", flags.out,
                 "Folder for scores.json and items.jsonl (truth and answers of every clip)")
      ->type_name("DIR");
  if (!parse_arguments(app, arguments)) return false;
  if (flags.split != "test" && flags.split != "validation")
    throw ConfigError({"--split", fmt::format("'{}' is not a split to score on", flags.split),
                       "use test or validation"});
  settings.language = language_named(flags.language);
  settings.split = flags.split == "test" ? Split::test : Split::validation;
  if (settings.unseen_clips > 0 && settings.split != Split::test)
    throw ConfigError({"--unseen", "needs the test split", "leave --split out"});
  if (settings.clips + settings.unseen_clips == 0)
    throw ConfigError({"--clips", "is 0 and so is --unseen", "ask for at least one clip"});
  return true;
}

std::string table_of(const WorldScores& s) {
  std::string text;
  const auto row = [&](const char* name, double value) {
    text += fmt::format("{:<18} {:6.3f}\n", name, value);
  };
  row("event precision", s.event_precision);
  row("event recall", s.event_recall);
  row("event F1", s.event_f1);
  row("order", s.order);
  row("opening scene F1", s.scene_f1);
  row("interval IoU", s.interval_iou);
  row("interval exact", s.interval_exact);
  if (s.sounds > 0) {
    row("sound precision", s.sound_precision);
    row("sound recall", s.sound_recall);
    row("sound F1", s.sound_f1);
  }
  row("questions", s.qa);
  row("probes", s.probes);
  row("probe yes-rate", s.probe_yes_rate);
  row("unparsed", s.unparsed);
  for (const auto& [kind, accuracy] : s.qa_by_kind) row(("  " + kind).c_str(), accuracy);
  return text;
}

void write_results(const std::string& folder, const std::string& scores,
                   const std::vector<WorldEvalItem>& items) {
  std::filesystem::create_directories(folder);
  std::string rows;
  for (const WorldEvalItem& item : items) {
    rows += nlohmann::ordered_json{{"index", item.index},
                                   {"unseen", item.unseen},
                                   {"truth", item.truth},
                                   {"description", item.description},
                                   {"with_intervals", item.with_intervals}}
                .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
            "\n";
  }
  write_file_atomically(std::filesystem::path(folder) / "items.jsonl", rows);
  write_file_atomically(std::filesystem::path(folder) / "scores.json", scores + "\n");
}

}  // namespace

int run_eval_world(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  const bool sounds = level_named(flags.settings.level).max_sounds > 0;
  const ModelSession session = open_session(sounds ? hearing_model(flags.model) : flags.model);
  const std::int64_t total = flags.settings.clips + flags.settings.unseen_clips;
  const bool terminal = ::isatty(2) != 0;
  const auto progress = [&](std::int64_t done) {
    if (terminal && log_level() >= LogLevel::info) {
      fmt::print(stderr, "\r\x1b[K{} of {} clips{}", done, total, done == total ? "\n" : "");
    } else if (done % 50 == 0) {
      log_info(fmt::format("{} of {} clips", done, total));
    }
  };
  flags.settings.backend = session.backend_options;
  const WorldEvalResult result =
      evaluate_world(*session.model, flags.settings, progress, context.stop);
  if (context.stop.stop_requested())
    return kExitOk;  // the signal's exit code is the program's; no partial table
  std::string model = session.model->info().name;
  if (!session.adapter.empty()) model += " with " + session.adapter;
  const std::string json = world_scores_json(result.scores, result.unseen, flags.settings.seed,
                                             model, flags.settings.language)
                               .dump();
  if (!flags.out.empty()) write_results(flags.out, json, result.items);
  std::string text = table_of(result.scores);
  if (flags.settings.unseen_clips > 0)
    text += fmt::format("{:<18} {:6.3f}\n{:<18} {:6.3f}\n{:<18} {:6.3f}\n", "unseen event F1",
                        result.unseen.event_f1, "unseen scene F1", result.unseen.scene_f1,
                        "unseen obj. recall", result.unseen.held_out_recall);
  print_answer(flags.output.json ? json + "\n" : text);
  return kExitOk;
}

}  // namespace tarsier
