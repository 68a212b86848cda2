#include "tarsier/processors/media_preparation.h"

#include <ATen/ATen.h>

#include <functional>

#include "tarsier/base/error.h"
#include "tarsier/processors/smart_resize.h"

namespace tarsier {
namespace {

bool is_image(const Pictures& pictures) { return pictures.modality == Modality::image; }

std::int64_t frame_count(const Pictures& pictures) {
  return static_cast<std::int64_t>(pictures.frames.size());
}

PixelBudget sample_budget(const std::vector<const Pictures*>& all,
                          const Qwen2VlVideoConfig& config) {
  std::int64_t counted = 0;
  for (const Pictures* pictures : all) {
    counted += is_image(*pictures) ? config.tarsier2.frames_per_image : 2 * frame_count(*pictures);
  }
  return tarsier2_frame_budget(counted, config);
}

/// `slices` temporal slices of frames that become `resized`.
SeenMedia seen(const Pictures& pictures, Size resized, std::int64_t shown,
               const Qwen2VlVideoConfig& config) {
  const std::int64_t slices = (shown + config.temporal_patch_size - 1) / config.temporal_patch_size;
  const PatchGrid grid{slices, resized.height / config.patch_size,
                       resized.width / config.patch_size};
  const Frame& first = pictures.frames.front();
  return {pictures.modality,
          frame_count(pictures),
          {first.height, first.width},
          resized,
          grid,
          grid.media_tokens(config.merge_size),
          picture_block(pictures.modality, grid, config.merge_size, config.frame_markers)};
}

using Patch = std::function<PatchedMedia(const Pictures&)>;

PreparedMedia prepare(const std::vector<const Pictures*>& all, std::vector<SeenMedia> plan,
                      const Patch& patch) {
  PreparedMedia prepared;
  prepared.seen = std::move(plan);
  if (all.empty()) return prepared;
  std::vector<Tensor> pixels;
  prepared.inputs.grid = at::empty({static_cast<std::int64_t>(all.size()), 3}, at::kLong);
  auto* rows = prepared.inputs.grid.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < all.size(); ++i, rows += 3) {
    PatchedMedia media = patch(*all[i]);
    check(media.grid == prepared.seen[i].grid, "pictures become the grid that was planned");
    rows[0] = media.grid.time;
    rows[1] = media.grid.height;
    rows[2] = media.grid.width;
    pixels.push_back(std::move(media.pixels));
  }
  prepared.inputs.pixels = pixels.size() == 1 ? pixels[0] : at::cat(pixels);
  return prepared;
}

}  // namespace

std::vector<const Pictures*> pictures_of(const Conversation& conversation) {
  std::vector<const Pictures*> pictures;
  for (const Message& message : conversation) {
    for (const Part& part : message.parts) {
      if (!part.pictures) continue;
      if (part.pictures->modality == Modality::audio)
        throw InputError({"sound", "is not something this model hears", "pass a video"});
      check(!part.pictures->frames.empty(), "pictures hold a frame");
      check(part.pictures->modality == Modality::video || part.pictures->frames.size() == 1,
            "an image is one frame");
      pictures.push_back(part.pictures.get());
    }
  }
  return pictures;
}

std::vector<SeenMedia> plan_tarsier2_media(const Conversation& conversation,
                                           const Qwen2VlVideoConfig& config) {
  const auto all = pictures_of(conversation);
  const PixelBudget budget = sample_budget(all, config);
  std::vector<SeenMedia> plan;
  for (const Pictures* pictures : all) {
    const Frame& first = pictures->frames.front();
    const Size resized = tarsier2_resize_steps({first.height, first.width}, budget, config).back();
    const std::int64_t shown =
        is_image(*pictures) ? config.temporal_patch_size : 2 * frame_count(*pictures);
    plan.push_back(seen(*pictures, resized, shown, config));
  }
  return plan;
}

std::vector<SeenMedia> plan_qwen2_vl_media(const Conversation& conversation,
                                           const Qwen2VlVideoConfig& config, VideoSizing sizing) {
  std::vector<SeenMedia> plan;
  for (const Pictures* pictures : pictures_of(conversation)) {
    const Size source{pictures->frames.front().height, pictures->frames.front().width};
    const std::int64_t frames = frame_count(*pictures);
    if (is_image(*pictures)) {
      const Size resized = fit_to_pixel_budget(source, config.factor(), config.image.min_pixels,
                                               config.image.max_pixels);
      plan.push_back(seen(*pictures, resized, config.temporal_patch_size, config));
    } else {
      plan.push_back(
          seen(*pictures, qwen2_vl_frame_size(source, frames, config, sizing), frames, config));
    }
  }
  return plan;
}

PreparedMedia prepare_tarsier2_media(const Conversation& conversation,
                                     const Qwen2VlVideoConfig& config) {
  const auto all = pictures_of(conversation);
  const PixelBudget budget = sample_budget(all, config);
  return prepare(all, plan_tarsier2_media(conversation, config), [&](const Pictures& pictures) {
    return is_image(pictures) ? patch_tarsier2_image(pictures.frames.front(), budget, config)
                              : patch_tarsier2_video(pictures.frames, budget, config);
  });
}

PreparedMedia prepare_qwen2_vl_media(const Conversation& conversation,
                                     const Qwen2VlVideoConfig& config, VideoSizing sizing) {
  return prepare(pictures_of(conversation), plan_qwen2_vl_media(conversation, config, sizing),
                 [&](const Pictures& pictures) {
                   return is_image(pictures)
                              ? patch_image(pictures.frames.front(), config)
                              : patch_qwen2_vl_video(pictures.frames, config, sizing);
                 });
}

}  // namespace tarsier
