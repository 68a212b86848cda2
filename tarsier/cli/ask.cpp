#include <c10/core/InferenceMode.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/cli/answer_command.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/media_set.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/engine/dialogue.h"
#include "tarsier/engine/score_choices.h"

namespace tarsier {
namespace {

struct Flags : AnswerFlags {
  std::string media;
  std::vector<std::string> with, questions, choices;
  bool turns = false;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "ask",
                   "Answer questions about a video or an image. It is encoded once, however many "
                   "there are; several answers come out as QUESTION "
                   "ANSWER, a line each.",
                   {"tarsier ask clip.mp4 \"What colour is the circle?\"",
                    "tarsier ask clip.mp4 \"Who comes in?\" \"What happens then?\" --json",
                    "tarsier ask clip.mp4 \"Which way does it move?\" --choices left,right",
                    "tarsier ask before.png --with after.png \"What has changed?\""});
  std::string choices;
  app.add_option("--choices", choices,
                 "Answers to choose from: the likeliest is given, --json has their probabilities")
      ->type_name("A,B,...");
  app.add_flag("--turns", flags.turns,
               "The questions are one conversation: each comes behind the answers before it");
  app.add_option("--with", flags.with,
                 "Another video or image of the same prompt; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "A video or image file")->required();
  app.add_option("QUESTION", flags.questions, "Any number of questions")->required();
  if (!parse_arguments(app, arguments)) return false;
  check_answer_flags(flags);
  flags.choices = list_of(choices);
  for (const std::string& question : flags.questions) {
    if (question.empty()) throw ConfigError({"QUESTION", "is empty", "put the question in quotes"});
  }
  for (const std::string& choice : flags.choices) {
    if (choice.empty()) throw ConfigError({"--choices", "has an empty one", "write A,B,C"});
  }
  if (flags.choices.size() == 1)
    throw ConfigError({"--choices", "names one answer", "give at least two"});
  if (flags.turns && !flags.choices.empty())
    throw ConfigError({"--turns", "was given together with --choices", "give one of the two"});
  return true;
}

/// One question and what came of it.
struct Answered {
  std::string text;
  Completion done;                  // of an answer that was written
  std::vector<ChoiceScore> scores;  // of one that was chosen
};

class Asker {
 public:
  Asker(const CommandContext& context, const Flags& flags)
      : context_(context),
        flags_(flags),
        paths_(paths_of(flags)),
        session_(open_session(model_for(flags.model, paths_, flags.clip.audio), flags.max_pixels)) {
  }

  int run() {
    media_ = read_media_set(paths_, session_, flags_);
    const Stopwatch stopwatch;
    const std::vector<Answered> answers = !flags_.choices.empty() ? choose()
                                          : flags_.turns          ? converse()
                                                                  : answer();
    if (context_.stop.stop_requested() && flags_.output.json) return kExitOk;
    if (!flags_.output.json) {
      say(answers);
    } else {
      nlohmann::ordered_json row = answer_row(media_, session_, flags_.sampling);
      row["answers"] = rows(answers);
      row["t_gen_s"] = stopwatch.seconds();
      print_answer(line_of(row));
    }
    return kExitOk;
  }

 private:
  static std::vector<std::string> paths_of(const Flags& flags) {
    std::vector<std::string> paths{flags.media};
    paths.insert(paths.end(), flags.with.begin(), flags.with.end());
    return paths;
  }
  const VideoLanguageModel& model() const { return *session_.model; }
  bool streams() const {
    return flags_.questions.size() == 1 && flags_.choices.empty() && !flags_.output.json;
  }

  /// Checked before anything is said.
  Prompt checked(Prompt prompt) const {
    new_token_limit(model().info(), std::ssize(prompt.tokens), flags_.sampling);
    return prompt;
  }

  /// The prompt of a conversation; its pixels, the first time, into `media`.
  Prompt prompt_of(const Conversation& conversation, MediaInputs* media) const {
    ModelInputs inputs =
        model().prepare(conversation, media != nullptr ? PromptPurpose::generate
                                                       : PromptPurpose::generate_without_pixels);
    if (media != nullptr) *media = std::move(inputs.media);
    return checked(std::move(inputs.prompt));
  }

  Tensor encoded(const MediaInputs& media) const {
    return !media.empty() ? model().encode(media) : Tensor();
  }

  std::vector<Answered> answer() {
    MediaInputs media;
    std::vector<Branch> branches;
    const TextSink sink = streams() ? print_answer : TextSink();
    for (const std::string& question : flags_.questions) {
      Prompt prompt =
          prompt_of({question_about(media_, question)}, branches.empty() ? &media : nullptr);
      branches.push_back({std::move(prompt), flags_.sampling, sink});
    }
    std::vector<Answered> answers;
    for (Completion& done :
         generate_branches(model(), *session_.backend, media, branches, context_.stop))
      answers.push_back({done.text, std::move(done), {}});
    return answers;
  }

  std::vector<Answered> choose() {
    MediaInputs media;
    Tensor tokens;
    std::vector<Answered> answers;
    for (const std::string& question : flags_.questions) {
      const Prompt prompt =
          prompt_of({question_about(media_, question)}, answers.empty() ? &media : nullptr);
      if (answers.empty()) tokens = encoded(media);
      Answered answered;
      answered.scores = score_choices(model(), *session_.backend, prompt, tokens, flags_.choices);
      const auto best =
          std::ranges::max_element(answered.scores, {}, &ChoiceScore::log_probability);
      answered.text = flags_.choices[static_cast<std::size_t>(best - answered.scores.begin())];
      answered.done.prompt_tokens = std::ssize(prompt.tokens);
      answers.push_back(std::move(answered));
    }
    return answers;
  }

  std::vector<Answered> converse() {
    MediaInputs media;
    Tensor tokens;
    Dialogue dialogue(model(), *session_.backend);
    Conversation conversation;
    std::vector<Answered> answers;
    for (const std::string& question : flags_.questions) {
      conversation.push_back(answers.empty() ? question_about(media_, question)
                                             : Message{"user", {{question, nullptr}}});
      const Prompt prompt = prompt_of(conversation, answers.empty() ? &media : nullptr);
      if (answers.empty()) tokens = encoded(media);
      Completion done = dialogue.answer(prompt, tokens, flags_.sampling, {}, context_.stop);
      conversation.push_back({"assistant", {{done.text, nullptr}}});
      answers.push_back({done.text, std::move(done), {}});
      if (context_.stop.stop_requested()) break;
    }
    return answers;
  }

  void say(const std::vector<Answered>& answers) const {
    if (streams()) {
      print_answer("\n");
      return;
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const bool several = flags_.questions.size() > 1;
      print_answer((several ? flags_.questions[i] + " " : "") + answers[i].text + "\n");
    }
  }

  nlohmann::ordered_json rows(const std::vector<Answered>& answers) const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const Answered& each = answers[i];
      nlohmann::ordered_json row{{"question", flags_.questions[i]}, {"answer", each.text}};
      if (each.scores.empty()) {
        row["finish_reason"] = name_of(each.done.reason);
      } else {
        const std::vector<double> shares = choice_probabilities(each.scores);
        for (std::size_t c = 0; c < shares.size(); ++c) {
          row["choices"].push_back({{"text", flags_.choices[c]},
                                    {"probability", shares[c]},
                                    {"log_probability", each.scores[c].log_probability},
                                    {"tokens", each.scores[c].tokens}});
        }
      }
      row["usage"] = usage_of(each.done, media_.seen);
      if (flags_.tokens && each.scores.empty()) row["token_ids"] = each.done.tokens;
      list.push_back(std::move(row));
    }
    return list;
  }

  const CommandContext& context_;
  const Flags& flags_;
  std::vector<std::string> paths_;
  ModelSession session_;
  MediaSet media_;
};

}  // namespace

int run_ask(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  return Asker(context, flags).run();
}

}  // namespace tarsier
