#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "tarsier/media/audio_writer.h"
#include "tarsier/media/frame.h"

namespace tarsier {

/// How to encode. The container follows the file's extension (mp4, mov, mkv, webm, avi, gif, ts).
struct VideoWriterOptions {
  std::string codec = "libx264";    // FFmpeg's encoder name
  int crf = 23;                     // constant quality; negative: the encoder's default
  std::string preset = "veryfast";  // libx264, libx265 only
  int frames_per_second = 25;
  std::string pixel_format = "yuv420p";
  int gop_size = 0;          // frames from key frame to key frame; 0: the encoder's default
  int b_frames = -1;         // most in a row; negative: the encoder's default
  double start_seconds = 0;  // presentation time of the first frame
  int rotation_degrees = 0;  // how far a player turns the picture clockwise: 0, 90, 180, 270
  bool full_range = false;
  std::string matrix = "bt601";  // bt601, bt709, or "" for BT.601 samples without a tag
  int threads = 1;               // one thread gives the same bytes on every run
  std::string comment;           // stored in the container; VideoInfo::comment
  AudioTrackOptions sound;       // its codec is empty: a video without sound
  std::map<std::string, std::string> encoder_options;  // passed on to the encoder ...
  std::map<std::string, std::string> muxer_options;    // ... and to the container
};

/// Encodes pictures to a video file that appears whole, at finish(), or not at all. Not
/// thread-safe. The file is built in memory: for clips, not films. ConfigError: an encoder, option
/// or extension FFmpeg does not have. ResourceError: the file cannot be written.
class VideoWriter {
 public:
  VideoWriter(const std::filesystem::path& file, Size size, const VideoWriterOptions& options = {});
  ~VideoWriter();
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;

  /// The next picture, [height, width, 3], shown one frame duration after the one before.
  void write(std::span<const std::uint8_t> rgb);
  /// The same, shown at `milliseconds` after the first frame; times ascend. For variable frame
  /// rate: all frames or none.
  void write_at(std::span<const std::uint8_t> rgb, std::int64_t milliseconds);
  /// More sound, [samples, channels] as `options.sound` says, behind what was written before; at
  /// any time before finish().
  void write_sound(std::span<const float> samples);
  /// Writes the file. Without it nothing appears.
  void finish();

 private:
  struct Encoder;  // FFmpeg stays in the .cpp file
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace tarsier
