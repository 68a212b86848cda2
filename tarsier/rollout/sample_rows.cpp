#include "tarsier/rollout/sample_rows.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/data/corrupt/corruption_keys.h"
#include "tarsier/data/draw_key.h"
#include "tarsier/data/pairs/candidates.h"
#include "tarsier/data/rows/sampled_media.h"
#include "tarsier/engine/generate.h"
#include "tarsier/train/data/row_conversation.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kSampleStream = 0x5a;

// The turns up to the last question. An answer behind it is the truth, which nobody shows.
std::vector<Turn> asked_turns(const Record& record) {
  std::vector<Turn> turns = record.turns;
  if (!turns.empty() && turns.back().role == Role::assistant) turns.pop_back();
  if (turns.empty() || turns.back().role != Role::user)
    throw InputError({record.where, "asks no question", "give rows that end with one"});
  return turns;
}

// What is drawn for a row depends on its video and words, not on where it stands.
std::uint64_t key_of(const Record& record, const std::vector<Turn>& turns) {
  std::string text;
  for (const Media& media : record.media) {
    for (const std::string& file : media.files) text += file + "\n";
    text += fmt::format("{} {}\n", media.start.value_or(-1), media.end.value_or(-1));
  }
  for (const Turn& turn : turns) text += text_of(turn) + "\n";
  return draw_key(text);
}

AnswerEnd end_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return AnswerEnd::stop;
    case FinishReason::length:
      return AnswerEnd::length;
    case FinishReason::loop:
      return AnswerEnd::loop;
    case FinishReason::cancelled:
      break;
  }
  throw_broken_promise("sampling is not cancelled in the middle of a row");
}

class RowSampler {
 public:
  RowSampler(AnsweringModel model, SampleSettings settings)
      : model_(std::move(model)), settings_(std::move(settings)) {}

  // The answers as JSON of candidates.h.
  std::string answer(const Row& row) const {
    try {
      return answers_of(row);
    } catch (const ConfigError& error) {  // what does not fit in one row
      throw InputError(error.note);
    }
  }

 private:
  std::string answers_of(const Row& row) const {
    const c10::InferenceMode inference;
    at::set_num_threads(static_cast<int>(model_.threads));  // of this thread
    if (row.record.preference || row.record.extra.contains("samples"))
      throw InputError({row.record.where, "has answers already", "take the rows before them"});
    Row asked = row;
    asked.record.turns = asked_turns(row.record);
    const RowCorruptions corruptions = parse_corruptions(row.record);
    Random random({settings_.seed, kSampleStream, key_of(row.record, asked.record.turns)});
    RowCandidates candidates;
    const bool hears = model_.model->info().hears;
    candidates.sampling = CandidateSampling{.model = model_.weights,
                                            .video = sampled_video(row),
                                            .sound = hears ? sampled_sound(row) : "",
                                            .temperature = settings_.temperature,
                                            .top_p = settings_.top_p,
                                            .max_new_tokens = settings_.max_new_tokens};
    add(asked, corruptions.intact, settings_.intact, std::nullopt, random, candidates);
    for (std::size_t i = 0; i < corruptions.corrupted.size(); ++i)
      add(asked, corruptions.corrupted[i].frames, settings_.corrupted, i, random, candidates);
    Record holder;
    write_candidates(holder, candidates);
    return Json{{"samples", Json::parse(holder.extra.at("samples"))},
                {"sampling", Json::parse(holder.extra.at("sampling"))}}
        .dump();
  }

  // `frames` of the row's video, or as its row and the model say where there are none. Its start
  // and end stay: they say what is heard.
  void add(const Row& asked, const std::vector<std::int64_t>& frames, std::int64_t count,
           std::optional<std::size_t> corruption, Random& random, RowCandidates& candidates) const {
    if (count == 0) return;
    Row shown = asked;
    if (!frames.empty()) {
      for (Media& media : shown.record.media) {
        if (media.kind == MediaKind::video) media.frame_indices = frames;
      }
    }
    const VideoLanguageModel& model = *model_.model;
    const ModelInputs inputs = model.prepare(
        row_conversation(shown, {model.sampling(), settings_.frames, model.info().hears}));
    std::vector<Branch> branches;
    for (std::int64_t i = 0; i < count; ++i) {
      SamplingParams params;
      params.temperature = settings_.temperature;
      params.top_p = settings_.top_p;
      params.max_new_tokens = settings_.max_new_tokens;
      params.seed = static_cast<std::uint64_t>(random.integer(0, INT32_MAX));
      branches.push_back({inputs.prompt, params, {}});
    }
    AtenBackend backend(model.decoder(), model_.backend);
    const std::vector<Completion> completions =
        generate_branches(model, backend, inputs.media, branches);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      candidates.samples.push_back({.text = completions[i].text,
                                    .seed = branches[i].sampling.seed,
                                    .finish = end_of(completions[i].reason),
                                    .corruption = corruption,
                                    .score = std::nullopt});
    }
  }

  AnsweringModel model_;
  SampleSettings settings_;
};

}  // namespace

std::string SampleSettings::json() const {
  return Json{{"intact", intact},
              {"corrupted", corrupted},
              {"temperature", temperature},
              {"top_p", top_p},
              {"max_new_tokens", max_new_tokens},
              {"frames", frames ? Json(*frames) : Json()},
              {"seed", seed}}
      .dump();
}

std::string SampleSettings::json_of(const AnsweringModel& model) const {
  return Json{{"model", model.weights}, {"settings", Json::parse(json())}}.dump();
}

RowStage make_sample_stage(const AnsweringModel& model, const SampleSettings& settings) {
  const auto sampler = std::make_shared<const RowSampler>(model, settings);
  RowStage stage;
  stage.examine = [sampler](const Row& row) { return sampler->answer(row); };
  stage.decide = [](Row& row, const std::string& facts) -> Decision {
    const Json json = Json::parse(facts);
    for (const char* key : {"samples", "sampling"}) row.record.extra[key] = json.at(key).dump();
    return std::vector<Record>{row.record};
  };
  return stage;
}

}  // namespace tarsier
