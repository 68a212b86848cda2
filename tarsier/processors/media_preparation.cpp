#include "tarsier/processors/media_preparation.h"

#include <ATen/ATen.h>

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

}  // namespace

std::int64_t sound_tokens(const SeenMedia& seen) {
  std::int64_t tokens = 0;
  for (const MediaRun& run : seen.block.runs) {
    if (run.modality == Modality::audio) tokens += run.tokens;
  }
  return tokens;
}

std::vector<const Pictures*> media_of(const Conversation& conversation) {
  std::vector<const Pictures*> media;
  for (const Message& message : conversation) {
    for (const Part& part : message.parts) {
      if (part.pictures) media.push_back(part.pictures.get());
    }
  }
  return media;
}

std::vector<const Pictures*> pictures_of(const Conversation& conversation) {
  std::vector<const Pictures*> media = media_of(conversation);
  for (const Pictures* pictures : media) {
    if (pictures->modality == Modality::audio) {
      throw InputError({"sound", "was given to a model that does not hear",
                        "pass a video-SALMONN 2 or 2+ checkpoint, loaded with its sound"});
    }
    check(!pictures->frames.empty(), "pictures hold a frame");
    check(pictures->modality == Modality::video || pictures->frames.size() == 1,
          "an image is one frame");
  }
  return media;
}

SeenMedia seen_pictures(const Pictures& pictures, Size resized, std::int64_t shown,
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

MediaInputs patch_all(const std::vector<const Pictures*>& all, const std::vector<SeenMedia>& plan,
                      const PatchPictures& patch) {
  MediaInputs inputs;
  if (all.empty()) return inputs;
  check(all.size() == plan.size(), "every picture is planned");
  std::vector<Tensor> pixels;
  std::vector<PatchGrid> grids;
  for (std::size_t i = 0; i < all.size(); ++i) {
    PatchedMedia media = patch(*all[i]);
    check(media.grid == plan[i].grid, "pictures become the grid that was planned");
    grids.push_back(media.grid);
    pixels.push_back(std::move(media.pixels));
  }
  inputs.grid = grid_rows(grids);
  inputs.pixels = pixels.size() == 1 ? pixels[0] : at::cat(pixels);
  return inputs;
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
    plan.push_back(seen_pictures(*pictures, resized, shown, config));
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
      plan.push_back(seen_pictures(*pictures, resized, config.temporal_patch_size, config));
    } else {
      plan.push_back(seen_pictures(*pictures, qwen2_vl_frame_size(source, frames, config, sizing),
                                   frames, config));
    }
  }
  return plan;
}

PreparedMedia prepare_tarsier2_media(const Conversation& conversation,
                                     const Qwen2VlVideoConfig& config) {
  const auto all = pictures_of(conversation);
  const PixelBudget budget = sample_budget(all, config);
  PreparedMedia prepared{{}, plan_tarsier2_media(conversation, config)};
  prepared.inputs = patch_all(all, prepared.seen, [&](const Pictures& pictures) {
    return is_image(pictures) ? patch_tarsier2_image(pictures.frames.front(), budget, config)
                              : patch_tarsier2_video(pictures.frames, budget, config);
  });
  return prepared;
}

PreparedMedia prepare_qwen2_vl_media(const Conversation& conversation,
                                     const Qwen2VlVideoConfig& config, VideoSizing sizing) {
  PreparedMedia prepared{{}, plan_qwen2_vl_media(conversation, config, sizing)};
  prepared.inputs =
      patch_all(pictures_of(conversation), prepared.seen, [&](const Pictures& pictures) {
        return is_image(pictures) ? patch_image(pictures.frames.front(), config)
                                  : patch_qwen2_vl_video(pictures.frames, config, sizing);
      });
  return prepared;
}

}  // namespace tarsier
