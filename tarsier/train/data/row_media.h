#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tarsier/data/record.h"
#include "tarsier/processors/conversation.h"
#include "tarsier/processors/frame_selection.h"

namespace tarsier {

/// The pictures that one item of a row's media means (training.md 9.1), `folder` being what its
/// paths are relative to. Of a video: the frames it names (`frame_indices`, in their order, which
/// may run backwards or repeat, or `time_indices`: what is on screen then), else those the model
/// would choose within `start_time` and `end_time`, or `start_frame` and `end_frame`, by the row's
/// own `n_frames` or `fps`, else by `frames`. A list of pictures is a video whose frames they are.
/// `mask_boxes` blacks out [left, top, right, bottom] in pixels of the upright picture, right and
/// bottom not included: a list of boxes for all frames, or a list of such lists, one a frame.
///
/// InputError or ConfigError naming the setting: a file that cannot be read, frames or times the
/// video does not have, pictures of different sizes, and what would change the pictures but is not
/// done here (`min_n_frames`, sound).
std::shared_ptr<const Pictures> read_row_media(const Media& media, const std::string& folder,
                                               const SamplingRule& rule,
                                               std::optional<std::int64_t> frames);

}  // namespace tarsier
