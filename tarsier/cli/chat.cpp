#include <c10/core/InferenceMode.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/answer_command.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/media_set.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/engine/dialogue.h"

namespace tarsier {
namespace {

struct Flags : AnswerFlags {
  std::vector<std::string> media;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "chat",
                   "Talk about videos and images: a question a line on stdin, an answer a line on "
                   "stdout, each behind all that was said before. /new forgets what was said, "
                   "/quit or the end of input ends it.",
                   {"tarsier chat clip.mp4", "tarsier chat before.png after.png",
                    "printf 'What is there?\\nWhat colour?\\n' | tarsier chat clip.mp4 --json"});
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "Video or image files")->required();
  if (!parse_arguments(app, arguments)) return false;
  check_answer_flags(flags);
  return true;
}

/// Lines of stdin, waited for without missing a stop.
class Lines {
 public:
  explicit Lines(std::stop_token stop) : stop_(std::move(stop)) {}

  /// nullopt at the end of input or when a stop is requested.
  std::optional<std::string> next() {
    constexpr int kLookMilliseconds = 100;  // for a stop
    while (!stop_.stop_requested()) {
      if (const std::size_t end = held_.find('\n'); end != std::string::npos) return take(end);
      if (over_) return held_.empty() ? std::nullopt : std::optional(take(held_.size()));
      pollfd input{STDIN_FILENO, POLLIN, 0};
      if (poll(&input, 1, kLookMilliseconds) <= 0) continue;
      std::array<char, 4096> bytes;
      const ssize_t count = read(STDIN_FILENO, bytes.data(), bytes.size());
      if (count > 0) held_.append(bytes.data(), static_cast<std::size_t>(count));
      over_ = count <= 0;
      if (held_.size() > kLongestLine)
        throw InputError({"stdin", "holds a line of more than 1 MiB", "ask shorter questions"});
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kLongestLine = 1 << 20;

  std::string take(std::size_t end) {
    std::string line = held_.substr(0, end);
    held_.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }

  std::stop_token stop_;
  std::string held_;
  bool over_ = false;
};

class Chat {
 public:
  Chat(const CommandContext& context, const Flags& flags)
      : context_(context),
        flags_(flags),
        session_(
            open_session(model_for(flags.model, flags.media, flags.clip.audio), flags.max_pixels)),
        media_(read_media_set(flags.media, session_, flags)),
        dialogue_(*session_.model, *session_.backend) {}

  int run() {
    const bool person = isatty(STDIN_FILENO) == 1;
    Lines lines(context_.stop);
    while (true) {
      if (person) {
        std::fputs("> ", stderr);
        std::fflush(stderr);
      }
      const std::optional<std::string> next = lines.next();
      if (!next) break;
      const std::string& line = *next;
      if (line.empty()) continue;
      if (line == "/quit") break;
      if (line == "/new") {
        conversation_.clear();
        continue;
      }
      if (line.front() == '/') {
        log_warning("'" + line + "' is no command; /new and /quit are");
        continue;
      }
      turn(line);
    }
    return kExitOk;
  }

 private:
  void turn(const std::string& question) {
    const Stopwatch stopwatch;
    const VideoLanguageModel& model = *session_.model;
    Conversation asked = conversation_;
    asked.push_back(asked.empty() ? question_about(media_, question)
                                  : Message{"user", {{question, nullptr}}});
    // Encoded for the first question; the tokens serve all others, /new or not.
    const bool first = !media_tokens_.defined();
    const ModelInputs inputs = model.prepare(
        asked, first ? PromptPurpose::generate : PromptPurpose::generate_without_pixels);
    if (first) media_tokens_ = model.encode(inputs.media);
    const TextSink say = flags_.output.json ? TextSink() : print_answer;
    const Completion done =
        dialogue_.answer(inputs.prompt, media_tokens_, flags_.sampling, say, context_.stop);
    conversation_ = std::move(asked);
    conversation_.push_back({"assistant", {{done.text, nullptr}}});
    if (!flags_.output.json) {
      print_answer("\n");
      return;
    }
    nlohmann::ordered_json row;
    if (first) row = answer_row(media_, session_, flags_.sampling);
    row["turn"] = static_cast<std::int64_t>(conversation_.size() / 2);
    row["question"] = question;
    row["answer"] = done.text;
    row["finish_reason"] = name_of(done.reason);
    row["usage"] = usage_of(done, media_.seen);
    row["usage"]["prompt_tokens_details"]["cached_tokens"] = dialogue_.cached_tokens();
    row["t_gen_s"] = stopwatch.seconds();
    if (flags_.tokens) row["token_ids"] = done.tokens;
    print_answer(line_of(row));
  }

  const CommandContext& context_;
  const Flags& flags_;
  ModelSession session_;
  MediaSet media_;
  Dialogue dialogue_;
  Conversation conversation_;
  Tensor media_tokens_;  // undefined before the first question
};

}  // namespace

int run_chat(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  return Chat(context, flags).run();
}

}  // namespace tarsier
