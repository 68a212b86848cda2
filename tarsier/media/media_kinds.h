#pragma once

#include <filesystem>

#include "tarsier/media/limits.h"

namespace tarsier {

struct MediaKinds {
  bool pictures = false;  // a video stream that is not cover art
  bool sound = false;     // a sound track
};

/// What a file has to offer, by its header alone. InputError: no such file, not a known container.
MediaKinds media_kinds(const std::filesystem::path& file, const MediaLimits& limits = {});

}  // namespace tarsier
