#include "tarsier/processors/llava_media.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/media/log_mel.h"
#include "tarsier/processors/sound_spread.h"

namespace tarsier {
namespace {

constexpr double kSampleRate = 16000;

bool is_heard(const Pictures& medium, const LlavaMediaConfig& config) {
  return config.tokens_per_chunk > 0 && medium.sound != nullptr;
}

/// How many samples of a sound the model hears, filled up to 1 s, then cut (trap 41: a video's
/// sound is cut to the video, however long that is).
std::int64_t heard_samples(const Pictures& medium, const LlavaMediaConfig& config) {
  const auto samples = static_cast<std::int64_t>(medium.sound->samples.size());
  const double limit =
      medium.modality == Modality::audio ? config.sound_alone_seconds : medium.seconds;
  return std::min(std::max(samples, static_cast<std::int64_t>(kSampleRate)),
                  static_cast<std::int64_t>(std::nearbyint(kSampleRate * limit)));
}

void refuse(const LlavaMediaConfig& config, std::string what, std::string hint) {
  throw InputError({config.family, std::move(what), std::move(hint)});
}

void check_medium(const Pictures& medium, const LlavaMediaConfig& config) {
  const auto frames = static_cast<std::int64_t>(medium.frames.size());
  if (medium.modality == Modality::image && !config.anyres)
    refuse(config, "does not take single images", "pass a video");
  if (medium.modality == Modality::audio) {
    if (config.tokens_per_chunk == 0)
      refuse(config, "is loaded without its ears, and this is sound alone", "pass a video");
    check(medium.sound != nullptr, "a sound has samples");
    return;
  }
  check(frames > 0, "pictures hold a frame");
  if (medium.modality == Modality::image) return;
  if (frames < config.fewest_frames) {
    refuse(config,
           fmt::format("needs a video of at least {} frames, this one has {}", config.fewest_frames,
                       frames),
           "pass a longer part of the video, or more frames (--frames)");
  }
  const bool needs_time = is_heard(medium, config) || config.time_ids;
  check(!needs_time || medium.seconds > 0, "a video says how long it is");
}

std::vector<std::vector<std::int64_t>> frame_words(const Pictures& medium,
                                                   const LlavaMediaConfig& config) {
  std::vector<std::vector<std::int64_t>> words;
  if (medium.modality != Modality::video || is_heard(medium, config) || !config.time_ids)
    return words;
  for (const std::string& time :
       time_words(medium.seconds, static_cast<std::int64_t>(medium.frames.size())))
    words.push_back(config.time_ids(time));
  return words;
}

SeenMedia seen(const Pictures& medium, const LlavaMediaConfig& config) {
  check_medium(medium, config);
  SeenMedia seen;
  seen.modality = medium.modality;
  seen.frames = static_cast<std::int64_t>(medium.frames.size());
  if (is_heard(medium, config)) {
    seen.mel_chunks = mel_chunks(heard_samples(medium, config));
    if (seen.mel_chunks > config.most_chunks) {
      refuse(config,
             fmt::format("hears at most {} chunks of 30 s, this sound has {}", config.most_chunks,
                         seen.mel_chunks),
             "pass a shorter part (--start, --end)");
    }
  }
  const std::int64_t sound = seen.mel_chunks * config.tokens_per_chunk;
  if (seen.frames > 0) {
    const Frame& first = medium.frames.front();
    seen.source = {first.height, first.width};
  }
  if (medium.modality == Modality::audio) {
    seen.tokens = sound;
  } else if (medium.modality == Modality::image) {
    const AnyresPlan plan =
        plan_anyres(seen.source, *config.anyres, config.square.side, config.grid_side);
    seen.resized = plan.scaled;
    seen.grid = {plan.squares(), config.grid_side, config.grid_side};
    seen.tokens = plan.tokens(config.grid_side);
  } else {
    seen.resized = {config.square.side, config.square.side};
    seen.grid = {seen.frames, config.grid_side, config.grid_side};
    std::size_t longest = 0;
    for (const auto& words : frame_words(medium, config)) longest = std::max(longest, words.size());
    seen.tokens = seen.frames * (config.tokens_per_frame + static_cast<std::int64_t>(longest)) +
                  config.closing_tokens;
    if (sound > 0) seen.tokens += spread_sound(sound, seen.frames, medium.seconds).placed(sound);
  }
  seen.block = {medium.modality, {{medium.modality, seen.tokens, seen.grid, 0, {}}}};
  return seen;
}

Tensor pixels_of(const Pictures& medium, const LlavaMediaConfig& config) {
  if (medium.modality != Modality::image) return square_frames(medium.frames, config.square);
  const Frame& image = medium.frames.front();
  const AnyresPlan plan = plan_anyres({image.height, image.width}, *config.anyres,
                                      config.square.side, config.grid_side);
  return anyres_squares(image, plan, config.square);
}

Tensor mel_of(const Pictures& medium, const LlavaMediaConfig& config) {
  std::vector<float> samples = medium.sound->samples;
  samples.resize(static_cast<std::size_t>(heard_samples(medium, config)));
  const std::vector<float> values = log_mel(samples);
  return at::tensor(values, at::kFloat).view({-1, kMelBins, kMelFrames});
}

}  // namespace

std::vector<SeenMedia> plan_llava_media(const Conversation& conversation,
                                        const LlavaMediaConfig& config) {
  std::vector<SeenMedia> plan;
  for (const Pictures* medium : media_of(conversation)) plan.push_back(seen(*medium, config));
  if (config.most_media > 0 && static_cast<std::int64_t>(plan.size()) > config.most_media) {
    refuse(config, fmt::format("takes one video or sound, the messages have {}", plan.size()),
           "ask about each in a conversation of its own");
  }
  const auto is_image = [](const SeenMedia& seen) { return seen.modality == Modality::image; };
  if (plan.size() > 1 && std::ranges::any_of(plan, is_image)) {
    refuse(config, fmt::format("takes an image alone, the messages have {} media", plan.size()),
           "ask about each in a conversation of its own");
  }
  return plan;
}

PreparedMedia prepare_llava_media(const Conversation& conversation,
                                  const LlavaMediaConfig& config) {
  PreparedMedia prepared;
  prepared.seen = plan_llava_media(conversation, config);
  if (prepared.seen.empty()) return prepared;
  std::vector<Tensor> pixels, mel;
  std::vector<PatchGrid> grids;
  const std::vector<const Pictures*> media = media_of(conversation);
  for (std::size_t i = 0; i < media.size(); ++i) {
    const SeenMedia& seen = prepared.seen[i];
    if (seen.frames > 0) pixels.push_back(pixels_of(*media[i], config));
    if (seen.mel_chunks > 0) mel.push_back(mel_of(*media[i], config));
    grids.push_back(seen.grid);
    prepared.inputs.layout.push_back({seen.modality, seen.grid.time, seen.mel_chunks,
                                      media[i]->seconds, seen.block.runs, seen.source,
                                      frame_words(*media[i], config)});
  }
  if (!pixels.empty()) prepared.inputs.pixels = at::cat(pixels);
  if (!mel.empty()) prepared.inputs.mel = at::cat(mel);
  prepared.inputs.grid = grid_rows(grids);
  return prepared;
}

}  // namespace tarsier
