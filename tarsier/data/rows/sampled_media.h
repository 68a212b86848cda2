#pragma once

#include <string>

#include "tarsier/data/rows/row_input.h"

namespace tarsier {

/// SHA-256 of what a model's answers about a row are of; empty: none, or no file of its own.
struct SampledMedia {
  std::string video;  // its first video, which is no list of pictures
  std::string sound;  // that video's `audio_file`, or the first sound alone
};

/// Reads both files. InputError for one that cannot be read.
SampledMedia sampled_media(const Row& row);

}  // namespace tarsier
