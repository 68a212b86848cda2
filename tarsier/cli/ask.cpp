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
  std::string media;
  std::vector<std::string> questions;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "ask",
                   "Answer questions about a video or an image. It is encoded once, however many "
                   "there are; several answers come out as QUESTION "
                   "ANSWER, a line each.",
                   {"tarsier ask clip.mp4 \"What colour is the circle?\"",
                    "tarsier ask clip.mp4 \"Who comes in?\" \"What happens then?\" --json"});
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "A video or image file")->required();
  app.add_option("QUESTION", flags.questions, "Any number of questions")->required();
  if (!parse_arguments(app, arguments)) return false;
  check_answer_flags(flags);
  for (const std::string& question : flags.questions) {
    if (question.empty()) throw ConfigError({"QUESTION", "is empty", "put the question in quotes"});
  }
  return true;
}

/// One branch a question; only the first carries the pictures.
std::vector<Branch> branches_for(const VideoLanguageModel& model, const MediaClip& clip,
                                 const Flags& flags, const TextSink& sink, MediaInputs& media) {
  std::vector<Branch> branches;
  for (const std::string& question : flags.questions) {
    const auto purpose =
        branches.empty() ? PromptPurpose::generate : PromptPurpose::generate_without_pixels;
    ModelInputs inputs = model.prepare(question_about(clip, question), purpose);
    if (branches.empty()) media = std::move(inputs.media);
    new_token_limit(model.info(), std::ssize(inputs.prompt.tokens),
                    flags.sampling);  // before anything is said
    branches.push_back({std::move(inputs.prompt), flags.sampling, sink});
  }
  return branches;
}

}  // namespace

int run_ask(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  const ModelSession session = open_session(flags.model, flags.max_pixels);
  const VideoLanguageModel& model = *session.model;
  const MediaClip clip = read_clip(flags.media, model.sampling(), flags.clip.request);
  const Stopwatch stopwatch;
  const SeenMedia seen = model.plan_media(question_about(clip, flags.questions.front())).at(0);
  const bool several = flags.questions.size() > 1;
  MediaInputs media;
  const TextSink sink = several || flags.output.json ? TextSink() : print_answer;
  const std::vector<Branch> branches = branches_for(model, clip, flags, sink, media);
  Notice notice;
  announce_clip(flags, clip, seen, model.info(), notice);
  const std::vector<Completion> done =
      generate_branches(model, *session.backend, media, branches, context.stop);

  nlohmann::ordered_json answers = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!flags.output.json) {
      print_answer(several ? flags.questions[i] + " " + done[i].text + "\n" : "\n");
      continue;
    }
    answers.push_back({{"question", flags.questions[i]},
                       {"answer", done[i].text},
                       {"finish_reason", name_of(done[i].reason)},
                       {"usage", usage_of(done[i], seen)}});
    if (flags.tokens) answers.back()["token_ids"] = done[i].tokens;
  }
  if (flags.output.json && !context.stop.stop_requested()) {
    nlohmann::ordered_json row = answer_row(clip, seen, session, flags.sampling);
    row["answers"] = std::move(answers);
    row["t_gen_s"] = stopwatch.seconds();
    print_answer(line_of(row));
  }
  return kExitOk;
}

}  // namespace tarsier
