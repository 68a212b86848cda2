#pragma once

#include <cstdint>

namespace tarsier {

/// What one media file or request may cost. A file's size on disk bounds nothing (6 MB of H.264 can
/// hold 432,000 frames), so each of these is checked while reading, and pixels before anything is
/// allocated for them.
struct MediaLimits {
  std::int64_t max_pixels = 33'177'600;  // of one picture: 7680 x 4320
  std::int64_t max_packets = 300'000;    // of the video stream, walked to number the frames
  double max_seconds = 7200;             // from the first frame to the end of the last
  double max_sound_seconds = 7200;       // of sound kept by one read
  std::int64_t max_streams = 32;         // in one container
  std::int64_t probe_bytes = 5'000'000;  // read to tell what kind of file it is
  double analyze_seconds = 5;            // of media read to find its streams
  double wall_clock_seconds = 30;        // of one call, and on top of it ...
  double wall_clock_seconds_per_media_minute = 0.5;  // ... for every minute of media
  std::int64_t max_frames_per_request = 768;
  std::int64_t max_pixels_per_request = 512'000'000;  // the sum over the frames of one read()
  int decode_threads = 1;
};

}  // namespace tarsier
