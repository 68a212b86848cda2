#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/answer_command.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/clip.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/grounding/subtitles.h"
#include "tarsier/grounding/timed_answer.h"
#include "tarsier/models/capabilities.h"

namespace tarsier {
namespace {

constexpr char kDescribePrompt[] =
    "Describe the video in detail. Before each event, name the frames that show it as <frame: "
    "first-last>.";
constexpr char kQueryPrompt[] = "Which frames show that {query}? Answer as <frame: first-last>.";

struct Flags : AnswerFlags {
  std::string media, query;
  std::string out;  // a file; empty: standard output
  bool srt = false, vtt = false;
};

void check_form(const Flags& flags) {
  const char* form = nullptr;
  const auto choose = [&](bool given, const char* flag) {
    if (!given) return;
    if (form != nullptr)
      throw ConfigError({flag, std::string("was given together with ") + form, "choose one"});
    form = flag;
  };
  choose(flags.output.json, "--json");
  choose(flags.srt, "--srt");
  choose(flags.vtt, "--vtt");
}

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "ground",
      "Say when things happen: every event of a video, or the times of one. Prints START-END s  "
      "TEXT, a line each, in seconds of the file; no finer than the frames the model saw. Prints "
      "nothing when the model says that QUERY does not happen.",
      {"tarsier ground clip.mp4", "tarsier ground clip.mp4 \"the red circle moves right\" --json",
       "tarsier ground clip.mp4 --vtt --out clip.vtt"});
  app.add_flag("--srt", flags.srt, "Print SubRip subtitles");
  app.add_flag("--vtt", flags.vtt, "Print WebVTT subtitles");
  app.add_option("--out", flags.out, "Write to a file in place of standard output")
      ->type_name("FILE");
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "A video file")->required();
  app.add_option("QUERY", flags.query, "What to look for; without it, every event");
  if (!parse_arguments(app, arguments)) return false;
  check_form(flags);
  check_answer_flags(flags);
  return true;
}

/// The words a model was trained to answer with intervals: processor_config.json may say them, and
/// then its family need not be one that was.
std::string prompt_for(const std::string& directory, const Capabilities& family,
                       const std::string& query) {
  std::string describe = kDescribePrompt, ask = kQueryPrompt;
  bool grounds = family.grounds;
  const std::filesystem::path file = std::filesystem::path(directory) / "processor_config.json";
  if (std::filesystem::exists(file)) {
    const JsonView config = read_json(file, JsonOwner::checkpoint);
    grounds = grounds || config.has(query.empty() ? "ground_prompt" : "ground_query_prompt");
    describe = config.string_or("ground_prompt", describe);
    ask = config.string_or("ground_query_prompt", ask);
    if (ask.find("{query}") == std::string::npos)
      config.at("ground_query_prompt").fail("has no {query}", "say where the words go");
  }
  if (!grounds)
    throw ConfigError(
        {"ground", fmt::format("{} was not trained to answer with times", family.title),
         "see `tarsier models` for those that were; of a model of your own say the words "
         "in processor_config.json: ground_prompt, ground_query_prompt"});
  return query.empty() ? describe : ask.replace(ask.find("{query}"), 7, query);
}

nlohmann::ordered_json events_of(const TimedAnswer& answer) {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const TimedEvent& event : answer.events) {
    nlohmann::ordered_json row = {{"start_s", to_milliseconds(event.when.start)},
                                  {"end_s", to_milliseconds(event.when.end)},
                                  {"text", event.text}};
    if (event.frames) row["frames"] = {event.frames->first, event.frames->last};
    if (event.snapped) row["snapped"] = true;
    events.push_back(std::move(row));
  }
  return events;
}

std::string lines_of(const TimedAnswer& answer, double step) {
  std::string lines;
  for (const TimedEvent& event : answer.events)
    lines += interval_text(event.when, step) + "  " + event.text + "\n";
  return lines;
}

void deliver(const Flags& flags, const std::string& text) {
  if (flags.out.empty()) {
    print_answer(text);
  } else {
    write_file_atomically(flags.out, text);
  }
}

}  // namespace

int run_ground(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  const ModelSession session = open_session(flags.model, flags.max_pixels);
  const VideoLanguageModel& model = *session.model;
  const std::string prompt =
      prompt_for(session.directory, capabilities_of(model.info().family), flags.query);
  const MediaClip clip = read_clip(flags.media, model, flags.clip);
  if (clip.is_image())
    throw InputError({flags.media, "is a still image, nothing in it has a time", "pass a video"});

  const Stopwatch stopwatch;
  const Conversation conversation = question_about(clip, prompt);
  const SeenMedia seen = model.plan_media(conversation).at(0);
  const ModelInputs inputs = model.prepare(conversation);
  new_token_limit(model.info(), std::ssize(inputs.prompt.tokens),
                  flags.sampling);  // before anything is said
  Notice notice;
  announce_clip(flags, clip, seen, model.info(), notice);
  const Completion done =
      generate(model, *session.backend, inputs, flags.sampling, {}, context.stop);
  if (done.reason == FinishReason::cancelled) return kExitOk;

  const ClipClock clock{clip.choice.seconds, clip.start_seconds, clip.end_seconds};
  const TimedAnswer answer = read_timed_answer({done.text, model.info().name}, clock, flags.query);
  const double step = sampling_step(clock);
  if (answer.events.empty()) log_info("the model says that nothing of this happens");
  if (!flags.output.json) {
    deliver(flags, flags.srt   ? srt_of(answer.events, step, clip.info.seconds, clip.path)
                   : flags.vtt ? vtt_of(answer.events, step, clip.info.seconds, clip.path)
                               : lines_of(answer, step));
    return kExitOk;
  }
  nlohmann::ordered_json row = answer_row(clip, seen, session, flags.sampling);
  row["params"]["prompt"] = prompt;
  row["caption"] = done.text;
  row["opening"] = answer.opening;
  row["events"] = events_of(answer);
  row["notation"] = nullptr;
  if (answer.notation) row["notation"] = name_of(*answer.notation);
  row["precision_s"] = to_milliseconds(step);
  row["finish_reason"] = name_of(done.reason);
  row["usage"] = usage_of(done, seen);
  row["t_gen_s"] = stopwatch.seconds();
  if (flags.tokens) row["token_ids"] = done.tokens;
  deliver(flags, line_of(row));
  return kExitOk;
}

}  // namespace tarsier
