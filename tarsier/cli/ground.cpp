#include <c10/core/InferenceMode.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/answer_command.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/clip.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/frame_events.h"
#include "tarsier/cli/model_session.h"

namespace tarsier {
namespace {

constexpr char kDescribePrompt[] =
    "Describe the video in detail. Before each event, name the frames that show it as <frame: "
    "first-last>.";
constexpr char kQueryPrompt[] = "Which frames show that {query}? Answer as <frame: first-last>.";

struct Flags : AnswerFlags {
  std::string media, query;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "ground",
      "Say when things happen: every event of a video, or the times of one. Prints START-END s  "
      "TEXT, a line each; no finer than the "
      "frames the model saw.",
      {"tarsier ground clip.mp4", "tarsier ground clip.mp4 \"the red circle moves right\" --json"});
  add_answer_flags(app, flags);
  app.add_option("MEDIA", flags.media, "A video file")->required();
  app.add_option("QUERY", flags.query, "What to look for; without it, every event");
  if (!parse_arguments(app, arguments)) return false;
  check_answer_flags(flags);
  return true;
}

/// The words a model was trained to answer with intervals: processor_config.json may say them.
std::string prompt_for(const std::string& directory, const std::string& query) {
  std::string describe = kDescribePrompt, ask = kQueryPrompt;
  const std::filesystem::path file = std::filesystem::path(directory) / "processor_config.json";
  if (std::filesystem::exists(file)) {
    const JsonView config = read_json(file, JsonOwner::checkpoint);
    describe = config.string_or("ground_prompt", describe);
    ask = config.string_or("ground_query_prompt", ask);
    if (ask.find("{query}") == std::string::npos)
      config.at("ground_query_prompt").fail("has no {query}", "say where the words go");
  }
  return query.empty() ? describe : ask.replace(ask.find("{query}"), 7, query);
}

GroundedText read_answer(const Completion& done, const MediaClip& clip, const std::string& model,
                         const std::string& query) {
  GroundedText grounded =
      parse_frame_events(done.text, static_cast<std::int64_t>(clip.choice.seconds.size()), model);
  for (FrameEvent& event : grounded.events) {
    if (!query.empty()) {
      event.text = query;
    } else if (event.text.empty()) {
      throw CheckpointError(
          {model,
           "answered with a frame interval that no event follows; it said '" + done.text + "'",
           "use a model trained to ground events in frames"});
    }
  }
  return grounded;
}

nlohmann::ordered_json events_of(const GroundedText& grounded, const MediaClip& clip) {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const FrameEvent& event : grounded.events) {
    const SecondsInterval when =
        seconds_of(event, clip.choice.seconds, clip.start_seconds, clip.end_seconds);
    events.push_back({{"start_s", to_milliseconds(when.start)},
                      {"end_s", to_milliseconds(when.end)},
                      {"text", event.text},
                      {"frames", {event.first, event.last}}});
  }
  return events;
}

}  // namespace

int run_ground(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const c10::InferenceMode inference;
  const ModelSession session = open_session(flags.model, flags.max_pixels);
  const VideoLanguageModel& model = *session.model;
  const MediaClip clip = read_clip(flags.media, model, flags.clip);
  if (clip.is_image())
    throw InputError({flags.media, "is a still image, nothing in it has a time", "pass a video"});

  const Stopwatch stopwatch;
  const std::string prompt = prompt_for(session.directory, flags.query);
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

  const GroundedText grounded = read_answer(done, clip, model.info().name, flags.query);
  const double step = sampling_step(clip.choice.seconds, clip.start_seconds, clip.end_seconds);
  if (!flags.output.json) {
    for (const FrameEvent& event : grounded.events) {
      const SecondsInterval when =
          seconds_of(event, clip.choice.seconds, clip.start_seconds, clip.end_seconds);
      print_answer(interval_text(when, step) + "  " + event.text + "\n");
    }
    return kExitOk;
  }
  nlohmann::ordered_json row = answer_row(clip, seen, session, flags.sampling);
  row["params"]["prompt"] = prompt;
  row["caption"] = done.text;
  row["opening"] = grounded.opening;
  row["events"] = events_of(grounded, clip);
  row["precision_s"] = to_milliseconds(step);
  row["finish_reason"] = name_of(done.reason);
  row["usage"] = usage_of(done, seen);
  row["t_gen_s"] = stopwatch.seconds();
  if (flags.tokens) row["token_ids"] = done.tokens;
  print_answer(line_of(row));
  return kExitOk;
}

}  // namespace tarsier
