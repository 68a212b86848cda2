#include <c10/core/InferenceMode.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/answer_command.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/clip.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/model_session.h"

namespace tarsier {
namespace {

struct Flags : AnswerFlags {
  std::string prompt;
  std::vector<std::string> media;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "describe",
                   "Describe videos and images in words. Several files come out as NAME: "
                   "DESCRIPTION, a line each; one that cannot be read is "
                   "reported and the others go on.",
                   {"tarsier describe clip.mp4",
                    "tarsier describe --frames 16 --start 10 --end 20 film.mkv --json",
                    "tarsier describe --model Tarsier2-Recap-7b --dtype bf16 clip.mp4"});
  app.add_option("--prompt", flags.prompt,
                 "What to ask in place of \"Describe the video in detail.\"")
      ->type_name("TEXT");
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "Video or image files")->required();
  if (!parse_arguments(app, arguments)) return false;
  check_answer_flags(flags);
  if (!flags.clip.show_frames.empty() && flags.media.size() > 1) {
    throw ConfigError({"--show-frames", "writes one picture, several files are given",
                       "describe them one at a time"});
  }
  return true;
}

class Describer {
 public:
  Describer(const CommandContext& context, const Flags& flags)
      : context_(context), flags_(flags), session_(open_session(flags.model, flags.max_pixels)) {}

  void describe(const std::string& path) {
    const VideoLanguageModel& model = *session_.model;
    const MediaClip clip = read_clip(path, model.sampling(), flags_.clip.request);
    const std::string prompt = !flags_.prompt.empty() ? flags_.prompt
                               : clip.is_image()      ? "Describe the image in detail."
                                                      : "Describe the video in detail.";
    const Stopwatch stopwatch;
    const Conversation conversation = question_about(clip, prompt);
    const SeenMedia seen = model.plan_media(conversation).at(0);
    const ModelInputs inputs = model.prepare(conversation);
    new_token_limit(model.info(), std::ssize(inputs.prompt.tokens),
                    flags_.sampling);  // before anything is said
    announce_clip(flags_, clip, seen, model.info(), notice_);

    bool named = flags_.media.size() < 2;
    const TextSink say = [&](std::string_view piece) {
      if (!named) print_answer(path + ": ");
      named = true;
      print_answer(piece);
    };
    const Completion done = generate(model, *session_.backend, inputs, flags_.sampling,
                                     flags_.output.json ? TextSink() : say, context_.stop);
    if (!flags_.output.json) {
      say("\n");
    } else if (done.reason != FinishReason::cancelled) {
      nlohmann::ordered_json row = answer_row(clip, seen, session_, flags_.sampling);
      row["params"]["prompt"] = prompt;
      row["caption"] = done.text;
      row["finish_reason"] = name_of(done.reason);
      row["usage"] = usage_of(done, seen);
      row["t_gen_s"] = stopwatch.seconds();
      if (flags_.tokens) row["token_ids"] = done.tokens;
      print_answer(line_of(row));
    }
  }

  int describe_all() {
    std::size_t failed = 0;
    for (const std::string& path : flags_.media) {
      if (context_.stop.stop_requested()) break;
      try {
        describe(path);
      } catch (const InputError& error) {
        if (flags_.media.size() == 1) throw;
        ++failed;
        log_warning(error.note.text());
        if (flags_.output.json) print_answer(line_of(failed_row(path, "input", error.note)));
      }
    }
    if (failed == 0) return kExitOk;
    return failed == flags_.media.size() ? kExitInput : kExitSomeFailed;
  }

 private:
  const CommandContext& context_;
  const Flags& flags_;
  ModelSession session_;
  Notice notice_;
};

}  // namespace

int run_describe(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  return Describer(context, flags).describe_all();
}

}  // namespace tarsier
