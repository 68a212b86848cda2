#include "tarsier/eval/world.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/engine/generate.h"
#include "tarsier/media/video_reader.h"
#include "tarsier/processors/frame_selection.h"
#include "tarsier/processors/media_sound.h"
#include "tarsier/synth/clip_writer.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/prompts.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/scene.h"
#include "tarsier/tensor/workers.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSmallModel = 100'000'000;  // parameters
constexpr std::int64_t kAnswerTokens = 24;         // of an answer to a question

// A folder for the clip under evaluation, gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tarsier-eval-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw ResourceError(
          {name, "cannot be created", "set TMPDIR to a folder that can be written"});
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Answered {
  WorldEvalItem item;
  ParsedScene plain, timed;
  std::vector<double> seconds;
  std::vector<Question> questions;
  std::vector<std::string> answers;
};

// What of a clip's settings says which clip it is.
std::string kept_name(const WorldEvalSettings& settings, std::uint64_t index, bool held_out) {
  return fmt::format("{}_{}_{}_{}{}.mp4", settings.level,
                     settings.split == Split::test ? "test" : "validation", settings.seed, index,
                     held_out ? "_unseen" : "");
}

std::int64_t worker_count(const VideoLanguageModel& model, const WorldEvalSettings& settings,
                          std::int64_t clips) {
  const bool small = model.info().parameters < kSmallModel && model.decoder().device().is_cpu();
  const std::int64_t wanted = settings.workers > 0 ? settings.workers
                              : small              ? at::get_num_threads()
                                                   : 1;
  return std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(1, clips));
}

// Of a description, whose tokens are mostly words: a clause, its interval and its joints for each
// thing that is told.
std::int64_t most_tokens(const Level& level) {
  return std::max(192, 64 * (level.max_events + level.max_sounds));
}

// A level whose events need more frames than those of base asks for them, as far as the model goes.
std::int64_t frames_for(const Level& level, const VideoLanguageModel& model) {
  return std::min(level.frames, model.sampling().max_frames);
}

Answered answer_clip(const VideoLanguageModel& model, DecodeBackend& backend, const Clip& clip,
                     const std::filesystem::path& file, const WorldEvalSettings& settings,
                     std::stop_token stop) {
  VideoReader reader(file);
  const Level& level = level_named(settings.level);
  FrameRequest request;
  if (level.frames > Level{}.frames) request.frames = frames_for(level, model);
  const FrameChoice choice =
      choose_frames(model.sampling(), reader.info(), reader.frame_seconds(), request);
  auto pictures = std::make_shared<Pictures>();
  pictures->frames = reader.read(choice.indices);
  pictures->seconds = choice.part_seconds;
  if (model.info().hears && reader.info().has_audio) pictures->sound = read_sound(file);
  Answered result;
  result.seconds = choice.seconds;
  Random random({settings.seed, clip.index, 0x9a5e});
  result.questions =
      draw_questions(clip, choice.seconds, settings.language, settings.questions_per_clip, random);
  const Prompts& asked = prompts(settings.language);
  std::vector<std::string> words{std::string(asked.describe), std::string(asked.intervals)};
  for (const Question& question : result.questions) words.push_back(question.question);
  std::vector<Branch> branches;
  MediaInputs media;
  for (const std::string& text : words) {
    const Conversation conversation{{"user", {Part{"", pictures}, Part{text, nullptr}}}};
    ModelInputs inputs =
        model.prepare(conversation, branches.empty() ? PromptPurpose::generate
                                                     : PromptPurpose::generate_without_pixels);
    if (branches.empty()) media = std::move(inputs.media);
    SamplingParams sampling;
    sampling.max_new_tokens = branches.size() < 2 ? most_tokens(level) : kAnswerTokens;
    branches.push_back({std::move(inputs.prompt), sampling, {}});
  }
  const std::vector<Completion> completions =
      generate_branches(model, backend, media, branches, stop);
  result.item = {clip.index, false, describe(clip, settings.language, random), completions[0].text,
                 completions[1].text};
  result.plain = parse_description(completions[0].text, settings.language);
  result.timed = parse_description(completions[1].text, settings.language);
  for (std::size_t i = 2; i < completions.size(); ++i)
    result.answers.push_back(completions[i].text);
  return result;
}

}  // namespace

WorldEvalResult evaluate_world(const VideoLanguageModel& model, const WorldEvalSettings& settings,
                               const std::function<void(std::int64_t)>& progress,
                               std::stop_token stop) {
  const Level& level = level_named(settings.level);
  if (frames_for(level, model) < level.frames) {
    log_warning(
        fmt::format("the model takes {} frames, the level {} wants {}; short events may hide "
                    "between them",
                    model.sampling().max_frames, level.name, level.frames));
  }
  const ScratchFolder scratch;
  if (!settings.clips_in.empty()) std::filesystem::create_directories(settings.clips_in);
  const std::int64_t total = settings.clips + settings.unseen_clips;
  const auto clip_of = [&](std::int64_t i) {
    const bool held_out = i >= settings.clips;
    const auto index = static_cast<std::uint64_t>(held_out ? i - settings.clips : i);
    return make_clip(level, settings.split, settings.seed, index, {held_out});
  };
  Workers workers(worker_count(model, settings, total));
  AtenBackendOptions share = settings.backend;
  share.max_cache_bytes /= workers.count();
  std::vector<std::optional<Answered>> answers(static_cast<std::size_t>(total));
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex;  // of what follows
  std::int64_t done = 0;
  const auto answer_clips = [&](std::int64_t worker) {
    const c10::InferenceMode inference;
    AtenBackend backend(model.decoder(), share);
    const std::filesystem::path own = scratch.path() / fmt::format("clip{}.mp4", worker);
    for (std::int64_t i = next++; i < total && !stop.stop_requested(); i = next++) {
      const Clip clip = clip_of(i);
      std::filesystem::path file = own;
      if (settings.clips_in.empty()) {
        write_clip(clip, own);
      } else {
        file = settings.clips_in / kept_name(settings, clip.index, i >= settings.clips);
        write_clip_once(clip, file);
      }
      Answered answered = answer_clip(model, backend, clip, file, settings, stop);
      if (stop.stop_requested()) return;
      answered.item.unseen = i >= settings.clips;
      answers[static_cast<std::size_t>(i)] = std::move(answered);
      const std::lock_guard lock(mutex);
      ++done;
      if (progress) progress(done);
    }
  };
  workers.run(workers.count(), [&](std::int64_t worker) {
    try {
      answer_clips(worker);
    } catch (...) {
      next = total;  // the others finish what they have begun
      throw;
    }
  });
  WorldScorer seen, unseen;
  WorldEvalResult result;
  for (std::int64_t i = 0; i < total; ++i) {
    std::optional<Answered>& answered = answers[static_cast<std::size_t>(i)];
    if (!answered) continue;
    const Clip clip = clip_of(i);
    WorldScorer& scorer = i >= settings.clips ? unseen : seen;
    scorer.add_description(clip, answered->plain);
    scorer.add_intervals(clip, answered->seconds, answered->timed);
    for (std::size_t q = 0; q < answered->questions.size(); ++q) {
      scorer.add_answer(answered->questions[q].kind, answered->questions[q].answer,
                        answered->answers[q]);
    }
    result.items.push_back(std::move(answered->item));
  }
  result.scores = seen.scores();
  result.unseen = unseen.scores();
  return result;
}

}  // namespace tarsier
