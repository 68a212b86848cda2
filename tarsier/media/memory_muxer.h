#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tarsier/media/ffmpeg_handles.h"

namespace tarsier::ffmpeg {

/// A file being written: streams are added to context(), then comes the header, packets, and
/// finish(). Everything is held in memory until then.
class MemoryMuxer {
 public:
  /// The container follows the file's extension. ConfigError with `hint`: there is none.
  MemoryMuxer(std::filesystem::path file, const char* hint);
  ~MemoryMuxer();
  MemoryMuxer(const MemoryMuxer&) = delete;
  MemoryMuxer& operator=(const MemoryMuxer&) = delete;

  AVFormatContext& context() { return *muxer_; }
  bool wants_global_header() const;
  /// ConfigError: an option or `codecs` (for the message) the container does not take.
  void write_header(const std::map<std::string, std::string>& options, const std::string& codecs);
  /// Takes the packet, its times in `time_base`. ConfigError: the container refuses it.
  void write(AVPacket& packet, const AVStream& stream, AVRational time_base);
  /// Writes the file, whole or not at all.
  void finish();

 private:
  struct Bytes;
  struct FreeMuxer {
    void operator()(AVFormatContext* muxer) const { avformat_free_context(muxer); }
  };
  std::filesystem::path file_;
  std::unique_ptr<Bytes> bytes_;
  std::unique_ptr<AVFormatContext, FreeMuxer> muxer_;
};

/// Sets an option by its name on an encoder or container (`of`, for the message). ConfigError: it
/// has no such option or does not take the value.
void set_option(void* object, const std::string& name, const std::string& value, const char* of);

/// The encoder, or ConfigError: this FFmpeg has none of this name.
const AVCodec& encoder_named(const std::string& name);

}  // namespace tarsier::ffmpeg
