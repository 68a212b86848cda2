#pragma once

#include <string>

#include "tarsier/data/rows/row_input.h"

namespace tarsier {

// SHA-256 of the files a model's answers about a row are of; empty: none, or no file of its own.
// InputError for one that cannot be read.

/// Of the row's first video, unless that is a list of pictures.
std::string sampled_video(const Row& row);
/// Of what is heard beside that video from its `audio_file`; without one, of the first sound alone.
std::string sampled_sound(const Row& row);

}  // namespace tarsier
