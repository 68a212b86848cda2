#include <c10/core/InferenceMode.h>

#include <CLI/CLI.hpp>
#include <map>
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
#include "tarsier/cli/describe_prompt.h"
#include "tarsier/cli/model_session.h"

namespace tarsier {
namespace {

struct Flags : AnswerFlags {
  std::string prompt, style = "detailed";
  std::vector<std::string> languages;
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
  std::string languages;
  app.add_option("--lang", languages,
                 "Languages of the description; one the model was not trained to answer in is "
                 "translated by it in a second step, which --json records")
      ->type_name("en,zh,...");
  app.add_option("--style", flags.style, "detailed or brief")
      ->type_name("NAME")
      ->capture_default_str();
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "Video or image files")->required();
  if (!parse_arguments(app, arguments)) return false;
  check_answer_flags(flags);
  flags.languages = list_of(languages);
  if (!flags.prompt.empty() && (!flags.languages.empty() || flags.style != "detailed")) {
    throw ConfigError({"--prompt", "says it all, and --lang or --style is given too",
                       "say the language in the prompt"});
  }
  if (flags.languages.empty()) flags.languages = {"en"};
  if (!flags.clip.show_frames.empty() && flags.media.size() > 1) {
    throw ConfigError({"--show-frames", "writes one picture, several files are given",
                       "describe them one at a time"});
  }
  return true;
}

class Describer {
 public:
  Describer(const CommandContext& context, const Flags& flags) : context_(context), flags_(flags) {
    if (!flags.model.model.empty()) open(flags.model);  // told before any file is read
  }

  void describe(const std::string& path) {
    const ModelSession& session = open(model_for(flags_.model, {{path}}, flags_.clip.audio));
    const VideoLanguageModel& model = *session.model;
    const MediaClip clip = read_clip(path, model, flags_.clip);
    const std::vector<DescribePrompt> prompts = prompts_for(clip, session);
    const Stopwatch stopwatch;
    const SeenMedia seen = model.plan_media(question_about(clip, prompts[0].text)).at(0);
    const bool streams = prompts.size() == 1 && !prompts[0].translated && !flags_.output.json;
    bool named = flags_.media.size() < 2;
    const TextSink say = [&](std::string_view piece) {
      if (!named) print_answer(path + ": ");
      named = true;
      print_answer(piece);
    };
    MediaInputs media;
    std::vector<Branch> branches;
    for (const DescribePrompt& prompt : prompts) {
      const auto purpose =
          branches.empty() ? PromptPurpose::generate : PromptPurpose::generate_without_pixels;
      ModelInputs inputs = model.prepare(question_about(clip, prompt.text), purpose);
      if (branches.empty()) media = std::move(inputs.media);
      new_token_limit(model.info(), std::ssize(inputs.prompt.tokens),
                      flags_.sampling);  // before anything is said
      branches.push_back({std::move(inputs.prompt), flags_.sampling, streams ? say : TextSink()});
    }
    announce_clip(flags_, clip, seen, model.info(), notice_);
    std::vector<Completion> done =
        generate_branches(model, *session.backend, media, branches, context_.stop);
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (context_.stop.stop_requested() && !streams) return;
      named = flags_.media.size() < 2;
      finish(session, clip, seen, prompts[i], std::move(done[i]), stopwatch,
             streams ? TextSink() : say);
    }
    if (streams) print_answer("\n");
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
  /// One of the models of these files, each opened when the first of its files comes.
  const ModelSession& open(const ModelFlags& flags) {
    const auto found = sessions_.find(flags.model);
    if (found != sessions_.end()) return found->second;
    return sessions_.emplace(flags.model, open_session(flags, flags_.max_pixels)).first->second;
  }

  std::vector<DescribePrompt> prompts_for(const MediaClip& clip,
                                          const ModelSession& session) const {
    if (!flags_.prompt.empty()) return {{"", flags_.prompt, false}};
    std::vector<DescribePrompt> prompts;
    for (const std::string& language : flags_.languages) {
      prompts.push_back(describe_prompt(session.directory,
                                        capabilities_of(session.model->info().family), language,
                                        flags_.style, clip.pictures->modality));
    }
    return prompts;
  }

  /// Translates where that is the second step, and says what was not said while it was written.
  void finish(const ModelSession& session, const MediaClip& clip, const SeenMedia& seen,
              const DescribePrompt& prompt, Completion done, const Stopwatch& stopwatch,
              const TextSink& say) {
    const std::string english = prompt.translated ? done.text : "";
    if (prompt.translated) {
      const Conversation request{
          {"user", {{translation_prompt(prompt.language, done.text), nullptr}}}};
      done = generate(*session.model, *session.backend, session.model->prepare(request),
                      flags_.sampling, {}, context_.stop);
    }
    if (!flags_.output.json) {
      if (!say) return;
      say(flags_.languages.size() > 1 ? prompt.language + ": " + done.text + "\n"
                                      : done.text + "\n");
      return;
    }
    if (done.reason == FinishReason::cancelled) return;
    nlohmann::ordered_json row = answer_row(clip, seen, session, flags_.sampling);
    row["params"]["prompt"] = prompt.text;
    row["caption"] = done.text;
    if (!prompt.language.empty()) {
      row["lang"] = prompt.language;
      row["lang_mode"] = prompt.translated ? "two_step" : "native";
      if (prompt.translated) row["caption_en"] = english;
    }
    row["finish_reason"] = name_of(done.reason);
    row["usage"] =
        prompt.translated ? usage_of(done, std::span<const SeenMedia>()) : usage_of(done, seen);
    row["t_gen_s"] = stopwatch.seconds();
    if (flags_.tokens) row["token_ids"] = done.tokens;
    print_answer(line_of(row));
  }

  const CommandContext& context_;
  const Flags& flags_;
  std::map<std::string, ModelSession> sessions_;  // by --model
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
