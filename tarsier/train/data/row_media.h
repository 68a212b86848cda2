#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tarsier/data/record.h"
#include "tarsier/processors/conversation.h"
#include "tarsier/processors/frame_selection.h"

namespace tarsier {

/// How a model takes in the media of rows.
struct RowMediaSettings {
  SamplingRule sampling = {};
  std::optional<std::int64_t> frames = {};  // of a video whose row does not say it itself
  bool hears = false;
};

/// The pictures and sound that one item of a row's media means (training.md 9.1), `folder` being
/// what its paths are relative to. Of a video: the frames it names (`frame_indices`, in their
/// order, which may run backwards or repeat, or `time_indices`: what is on screen then), else those
/// the model would choose within `start_time` and `end_time`, or `start_frame` and `end_frame`, by
/// the row's own `n_frames` or `fps`, else by the settings' frames. A list of pictures is a video
/// whose frames they are. `mask_boxes` blacks out [left, top, right, bottom] in pixels of the
/// upright picture, right and bottom not included: a list of boxes for all frames, or a list of
/// such lists, one a frame.
///
/// A model that hears has the sound of the same part beside it: that of `audio_file`, else the
/// video's own where there is any; none where `use_audio` is false. A list of pictures has no
/// times: all of its `audio_file` is heard, and says how long the list is. Frames that are named
/// change nothing of it, so a corrupted video (data/corrupt) sounds as the intact one does. Media
/// of sound alone have no frames.
///
/// InputError or ConfigError naming the setting: a file that cannot be read, frames or times the
/// video does not have, pictures of different sizes, what would change the pictures but is not done
/// here (`min_n_frames`), sound that is asked for (`use_audio` true, `audio_file`, sound alone) and
/// is not there, or that the model cannot hear.
std::shared_ptr<const Pictures> read_row_media(const Media& media, const std::string& folder,
                                               const RowMediaSettings& settings);

}  // namespace tarsier
