#include "tarsier/processors/salmonn2_plus_media.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/media/log_mel.h"
#include "tarsier/processors/qwen2_5_vl_media.h"
#include "tarsier/processors/smart_resize.h"

namespace tarsier {
namespace {

constexpr double kStepsPerSecond = 2;  // upstream's code says so, whatever config.json says
constexpr double kSlice = 1;           // seconds, where a video's length is unknown
constexpr double kShare = 0.95;        // of the pixels that are free when fewer frames are shown

double real(std::int64_t value) { return static_cast<double>(value); }

/// Which of a fixed set of words stands at `key`; the first when it is absent.
std::size_t word_at(const JsonView& json, const char* key, const std::vector<std::string>& words) {
  const std::string word = json.string_or(key, words.front());
  const auto found = std::ranges::find(words, word);
  if (found == words.end())
    json.at(key).fail("is '" + word + "'", "use '" + words[0] + "' or '" + words[1] + "'");
  return static_cast<std::size_t>(found - words.begin());
}

/// Each whole: pictures hold a frame, an image just one, sound alone samples and no frame.
std::vector<const Pictures*> whole_media_of(const Conversation& conversation,
                                            const Salmonn2PlusMedia& rule) {
  if (rule.tokens_per_chunk == 0) return pictures_of(conversation);
  std::vector<const Pictures*> media = media_of(conversation);
  for (const Pictures* pictures : media) {
    const bool is_sound = pictures->modality == Modality::audio;
    check(is_sound ? pictures->frames.empty() && pictures->sound : !pictures->frames.empty(),
          "pictures hold a frame, sound holds samples and no frame");
    check(pictures->modality != Modality::image || pictures->frames.size() == 1,
          "an image is one frame");
  }
  return media;
}

bool is_heard(const Pictures& pictures, const Salmonn2PlusMedia& rule) {
  return pictures.sound && pictures.modality != Modality::image && rule.tokens_per_chunk > 0;
}

std::int64_t chunks_of(const Pictures& pictures, const Salmonn2PlusMedia& rule) {
  if (!is_heard(pictures, rule)) return 0;
  return mel_chunks(static_cast<std::int64_t>(pictures.sound->samples.size()));
}

MediaBlock video_block(const Pictures& pictures, const PatchGrid& grid,
                       const Salmonn2PlusMedia& rule) {
  const double slice = seconds_per_slice(pictures, rule.pictures);
  const std::int64_t merge = rule.pictures.merge_size;
  const auto steps = time_steps(grid.time, slice > 0 ? slice : kSlice, kStepsPerSecond);
  if (!is_heard(pictures, rule)) return timed_picture_block(pictures.modality, grid, merge, steps);
  const std::int64_t tokens = chunks_of(pictures, rule) * rule.tokens_per_chunk;
  const bool by_time = rule.settings.grouping == SoundGrouping::by_time;
  return heard_video_block(grid, merge, steps,
                           !by_time    ? deal_first(tokens, grid.time)
                           : slice > 0 ? deal_by_time(tokens, steps)
                                       : deal_spread(tokens, grid.time));
}

SeenMedia seen_medium(const Pictures& pictures, const Salmonn2PlusMedia& rule) {
  SeenMedia seen;
  if (pictures.modality == Modality::audio) {
    seen.modality = Modality::audio;
    seen.block = sound_block(chunks_of(pictures, rule) * rule.tokens_per_chunk);
  } else {
    const auto frames = static_cast<std::int64_t>(pictures.frames.size());
    const Size source{pictures.frames.front().height, pictures.frames.front().width};
    const Qwen2VlVideoConfig& config = rule.pictures;
    const Size size = pictures.modality == Modality::image
                          ? fit_to_pixel_budget(source, config.factor(), config.image.min_pixels,
                                                config.image.max_pixels)
                          : salmonn2_plus_frame_size(source, frames, rule);
    seen = seen_pictures(pictures, size, frames, config);
    seen.block = video_block(pictures, seen.grid, rule);
  }
  seen.tokens = seen.block.tokens();
  return seen;
}

/// f32 [chunks, kMelBins, kMelFrames] of all that is heard; undefined when nothing is.
Tensor mel_of(const std::vector<const Pictures*>& media, const Salmonn2PlusMedia& rule) {
  std::vector<Tensor> mel;
  for (const Pictures* pictures : media) {
    if (!is_heard(*pictures, rule)) continue;
    std::vector<float> values = log_mel(pictures->sound->samples);
    mel.push_back(
        at::from_blob(values.data(), {chunks_of(*pictures, rule), kMelBins, kMelFrames}, at::kFloat)
            .clone());
  }
  return mel.empty() ? Tensor() : at::cat(mel);
}

}  // namespace

Salmonn2PlusSettings read_salmonn2_plus_settings(const std::filesystem::path& model_directory) {
  Salmonn2PlusSettings settings;
  const std::filesystem::path file = model_directory / "processor_config.json";
  if (!std::filesystem::exists(file)) return settings;
  const auto json = read_json(file, JsonOwner::checkpoint).find("salmonn2_plus");
  if (!json) return settings;
  const auto read = [&](const char* key, std::int64_t& value) {
    if (json->has(key)) value = json->at(key).as_int(1, std::int64_t{1} << 40);
  };
  read("min_frames", settings.min_frames);
  read("max_frames", settings.max_frames);
  read("min_pixels", settings.frame.min_pixels);
  read("max_pixels", settings.frame.max_pixels);
  settings.frame_interval = json->double_or("frame_interval", settings.frame_interval);
  if (settings.frame_interval <= 0)
    json->at("frame_interval").fail("is not above 0", "give seconds between frames");
  if (settings.min_frames > settings.max_frames)
    json->fail("min_frames is more than max_frames", "lower one or raise the other");
  if (settings.frame.min_pixels > settings.frame.max_pixels)
    json->fail("min_pixels is more than max_pixels", "lower one or raise the other");
  settings.upstream_positions = word_at(*json, "positions", {"train", "upstream_generate"}) == 1;
  settings.grouping = word_at(*json, "audio_grouping", {"2509", "2507"}) == 1
                          ? SoundGrouping::evenly
                          : SoundGrouping::by_time;
  return settings;
}

SamplingRule salmonn2_plus_sampling(const Salmonn2PlusSettings& settings) {
  return {.kind = SamplingRule::Kind::salmonn2_plus,
          .default_fps = 1 / settings.frame_interval,
          .min_frames = settings.min_frames,
          .max_frames = settings.max_frames,
          .frame_interval = settings.frame_interval};
}

Size salmonn2_plus_frame_size(Size source, std::int64_t frames, const Salmonn2PlusMedia& rule) {
  const Salmonn2PlusSettings& s = rule.settings;
  const double most = frames >= s.max_frames
                          ? real(s.frame.max_pixels)
                          : kShare * real(s.max_frames) / real(frames) * real(s.frame.max_pixels);
  return fit_to_fractional_budget(source, rule.pictures.factor(), real(s.frame.min_pixels), most,
                                  ResizeGuard::none);
}

std::vector<SeenMedia> plan_salmonn2_plus_media(const Conversation& conversation,
                                                const Salmonn2PlusMedia& rule) {
  std::vector<SeenMedia> plan;
  for (const Pictures* pictures : whole_media_of(conversation, rule))
    plan.push_back(seen_medium(*pictures, rule));
  return plan;
}

PreparedMedia prepare_salmonn2_plus_media(const Conversation& conversation,
                                          const Salmonn2PlusMedia& rule) {
  const std::vector<const Pictures*> media = whole_media_of(conversation, rule);
  PreparedMedia prepared{{}, plan_salmonn2_plus_media(conversation, rule)};
  std::vector<const Pictures*> shown;
  std::vector<SeenMedia> plan;
  std::vector<MediumLayout> layout;
  for (std::size_t i = 0; i < media.size(); ++i) {
    const SeenMedia& seen = prepared.seen[i];
    layout.push_back({seen.modality,
                      seen.frames,
                      chunks_of(*media[i], rule),
                      media[i]->seconds,
                      seen.block.runs,
                      {}});
    if (seen.modality == Modality::audio) continue;
    shown.push_back(media[i]);
    plan.push_back(seen);
  }
  std::size_t next = 0;
  prepared.inputs = patch_all(shown, plan, [&](const Pictures& pictures) {
    return patch_resized_bytes(pictures.frames, plan[next++].resized, rule.pictures);
  });
  prepared.inputs.mel = mel_of(media, rule);
  prepared.inputs.layout = std::move(layout);
  return prepared;
}

}  // namespace tarsier
