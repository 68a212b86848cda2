#pragma once

#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "tarsier/processors/conversation.h"

namespace tarsier {

/// Seconds of a file, on the clock of VideoReader::frame_seconds.
struct MediaPart {
  double start = 0, end = std::numeric_limits<double>::infinity();
};

/// The part of a video between two times, either of which may be left out: from its first picture
/// on, and no longer than the video.
MediaPart part_of_video(const VideoInfo& info, const std::vector<double>& frame_seconds,
                        std::optional<double> start, std::optional<double> end);

/// The sound of a part of a file as models hear it; null when the file has no sound track, without
/// samples when the track has none in the part. InputError as read_audio, and for a part that has
/// no length.
std::shared_ptr<const Sound> read_sound(const std::filesystem::path& file,
                                        const MediaPart& part = {});

/// A file, or a part of it, as sound alone. InputError as read_sound, and when there is none.
std::shared_ptr<const Pictures> read_sound_alone(const std::filesystem::path& file,
                                                 const MediaPart& part = {});

double seconds_of(const Sound& sound);

}  // namespace tarsier
