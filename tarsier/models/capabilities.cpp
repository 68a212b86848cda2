#include "tarsier/models/capabilities.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/processors/media_preparation.h"

namespace tarsier {
namespace {

constexpr Capabilities kFamilies[] = {
    {.family = "tarsier",
     .title = "Tarsier",
     .images = true,
     .videos = true,
     .several = true,
     .languages = "en",
     .most_frames = 128},
    {.family = "tarsier2",
     .title = "Tarsier2",
     .images = true,
     .videos = true,
     .several = true,
     .grounds = true,
     .languages = "en zh",
     .most_frames = 256},
    {.family = "qwen2_vl",
     .title = "Qwen2-VL",
     .images = true,
     .videos = true,
     .several = true,
     .languages = "en zh",
     .most_frames = 768},
    {.family = "qwen2_5_vl",
     .title = "Qwen2.5-VL",
     .images = true,
     .videos = true,
     .several = true,
     .grounds = true,
     .languages = "en zh",
     .most_frames = 768},
    {.family = "llava_onevision",
     .title = "LLaVA-OneVision",
     .images = true,
     .videos = true,
     .several = true,
     .languages = "en zh",
     .most_frames = 160},
    {.family = "salmonn2",
     .title = "video-SALMONN 2",
     .videos = true,
     .sound = true,
     .languages = "en zh",
     .most_frames = 110},
    {.family = "salmonn2_plus",
     .title = "video-SALMONN 2+",
     .images = true,
     .videos = true,
     .sound = true,
     .several = true,
     .languages = "en zh",
     .most_frames = 768},
};

}  // namespace

std::span<const Capabilities> capabilities() { return kFamilies; }

const Capabilities& capabilities_of(std::string_view family) {
  const auto found = std::ranges::find(kFamilies, family, &Capabilities::family);
  check(found != std::end(kFamilies), "every family has a row of capabilities");
  return *found;
}

void check_capable(const Capabilities& family, const Conversation& conversation) {
  const std::vector<const Pictures*> media = media_of(conversation);
  for (const Pictures* medium : media) {
    const Modality modality = medium->modality;
    const bool takes = modality == Modality::image   ? family.images
                       : modality == Modality::video ? family.videos
                                                     : family.sound;
    if (takes) continue;
    const char* what = modality == Modality::image   ? "an image"
                       : modality == Modality::video ? "a video"
                                                     : "sound";
    throw InputError({"prompt", fmt::format("holds {}, which {} does not take", what, family.title),
                      "see `tarsier models` for what each family takes"});
  }
  if (media.size() > 1 && !family.several) {
    throw InputError(
        {"prompt",
         fmt::format("holds {} images and videos, {} takes one", media.size(), family.title),
         "ask about one at a time"});
  }
}

}  // namespace tarsier
