#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tarsier/media/frame.h"
#include "tarsier/media/limits.h"

namespace tarsier {

/// What a file holds. Of several video streams the first one that is not cover art is read.
struct VideoInfo {
  std::int64_t frames = 0;
  std::int64_t height = 0;  // after rotation
  std::int64_t width = 0;
  double frames_per_second = 0;  // the average; 0 when one frame has no duration (a still image)
  double seconds = 0;            // from the start of the container to the end of the last frame
  bool has_audio = false;
  bool is_still_image = false;
  std::string container;  // FFmpeg's names: "mov,mp4,m4a,3gp,3g2,mj2", "png_pipe"
  std::string codec;      // "h264"
  std::string comment;    // the container's own, as the file's maker wrote it; mostly empty
};

/// Decodes chosen frames of one video, GIF or still image. Not thread-safe; open one per thread.
///
/// Frames are numbered in presentation order by walking the container, and read exactly: a frame
/// that cannot be decoded is an InputError, never another frame. Seeks to key frames when that is
/// nearer than going on. Rotation (display matrix, EXIF) is applied; pixel aspect ratio is not.
/// Colours: the stream's own range and matrix, BT.601 limited where it names none (as libswscale
/// does); chroma is repeated, not interpolated, rounded to nearest, the same on every machine.
/// Alpha is dropped; what no GIF frame has drawn yet is white. Interlaced pictures stay as they
/// are.
///
/// The file is opened once, read-only, and nothing else ever is: containers and codecs are from a
/// short list, without playlists, protocols or references to other files.
class VideoReader {
 public:
  /// InputError: no such file, not a regular file, empty, not a known container, no video stream,
  /// cut short, over a limit.
  explicit VideoReader(const std::filesystem::path& file, const MediaLimits& limits = {});
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  const VideoInfo& info() const noexcept;
  /// When each frame is shown, in seconds from the start of the container (its earliest sound or
  /// picture); ascending.
  const std::vector<double>& frame_seconds() const noexcept;
  /// One frame per index, in order. Indices ascend and may repeat. InputError: an index past the
  /// end, a frame that cannot be decoded, over a limit.
  std::vector<Frame> read(std::span<const std::int64_t> ascending_indices);

 private:
  struct Decoder;  // FFmpeg stays in the .cpp files
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace tarsier
