#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tarsier/media/ffmpeg_handles.h"
#include "tarsier/media/limits.h"

namespace tarsier::ffmpeg {

/// Which files are welcome: those with pictures, or also those of sound alone.
enum class ContainerUse { pictures, sound };

/// Times of packets as the file stores them, or with missing ones worked out by FFmpeg.
enum class PacketTimes { stored, filled_in };

/// One media file as FFmpeg sees it: a demuxer from the short list over our own read-only
/// descriptor. FFmpeg is given no name, so it cannot open anything, and every attempt to is
/// refused. Used by one thread.
class ContainerInput {
 public:
  /// InputError: see VideoReader.
  ContainerInput(const std::filesystem::path& file, const MediaLimits& limits,
                 ContainerUse use = ContainerUse::pictures);
  ~ContainerInput();
  ContainerInput(const ContainerInput&) = delete;
  ContainerInput& operator=(const ContainerInput&) = delete;

  AVFormatContext& context() { return *context_; }
  const std::string& format_name() const { return format_name_; }
  const std::string& where() const { return where_; }  // the file, for messages

  /// Starts again from the first byte, with a fresh demuxer.
  void rewind(PacketTimes times = PacketTimes::stored);
  /// The next packet of any stream that is not discarded; false at the end. InputError: out of
  /// time. `damaged_end` tells whether the last read failed otherwise than by reaching the end.
  bool read(AVPacket& packet);
  bool damaged_end() const { return damaged_end_; }
  /// False when the container cannot seek there.
  bool seek(int stream, std::int64_t timestamp);

  void start_clock(double seconds);
  void extend_clock(double seconds);
  void check_clock() const;

 private:
  void open_descriptor(const std::filesystem::path& file);
  void open_demuxer(PacketTimes times);
  void close_demuxer();
  bool out_of_time() const { return std::chrono::steady_clock::now() > deadline_; }
  static int read_bytes(void* self, std::uint8_t* buffer, int size);
  static std::int64_t seek_bytes(void* self, std::int64_t offset, int whence);

  MediaLimits limits_;
  ContainerUse use_;
  std::string where_;
  std::string format_name_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  std::int64_t offset_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  bool damaged_end_ = false;
  AVIOContext* io_ = nullptr;
  AVFormatContext* context_ = nullptr;
};

}  // namespace tarsier::ffmpeg
