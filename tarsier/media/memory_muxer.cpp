#include "tarsier/media/memory_muxer.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace tarsier::ffmpeg {

/// Bytes in memory that containers may seek in.
struct MemoryMuxer::Bytes {
  Bytes() {
    constexpr int kBufferBytes = 1 << 16;
    auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(kBufferBytes)));
    io = avio_alloc_context(buffer, kBufferBytes, 1, this, nullptr, write, seek);
    if (io == nullptr) {
      av_free(buffer);
      throw_out_of_memory();
    }
  }
  ~Bytes() {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  std::string_view flushed() {
    avio_flush(io);
    return content;
  }

  static int write(void* self, std::uint8_t* data, int count) {
    auto& file = *static_cast<Bytes*>(self);
    const auto size = static_cast<std::size_t>(count);
    if (file.at + size > file.content.size()) file.content.resize(file.at + size);
    std::memcpy(file.content.data() + file.at, data, size);
    file.at += size;
    return count;
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& file = *static_cast<Bytes*>(self);
    if (whence == AVSEEK_SIZE) return static_cast<std::int64_t>(file.content.size());
    if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(file.at);
    if (whence == SEEK_END) offset += static_cast<std::int64_t>(file.content.size());
    if (offset < 0) return AVERROR(EINVAL);
    file.at = static_cast<std::size_t>(offset);
    return offset;
  }

  std::string content;
  std::size_t at = 0;
  AVIOContext* io = nullptr;
};

MemoryMuxer::MemoryMuxer(std::filesystem::path file, const char* hint)
    : file_(std::move(file)), bytes_(std::make_unique<Bytes>()) {
  route_log();
  AVFormatContext* context = nullptr;
  avformat_alloc_output_context2(&context, nullptr, nullptr, file_.filename().c_str());
  if (context == nullptr)
    throw ConfigError({file_.string(), "no container has this extension", hint});
  muxer_.reset(context);
  muxer_->pb = bytes_->io;
  muxer_->flags |= AVFMT_FLAG_CUSTOM_IO;
  muxer_->flags |= AVFMT_FLAG_BITEXACT;
  muxer_->max_interleave_delta = 0;  // packets wait for those of the other streams, however long
}

MemoryMuxer::~MemoryMuxer() = default;

bool MemoryMuxer::wants_global_header() const {
  return (muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0;
}

void MemoryMuxer::write_header(const std::map<std::string, std::string>& options,
                               const std::string& codecs) {
  for (const auto& [name, value] : options) set_option(muxer_.get(), name, value, "container");
  if (avformat_write_header(muxer_.get(), nullptr) < 0) {
    throw ConfigError({file_.string(), fmt::format("this container does not take {}", codecs),
                       "use another extension or encoder"});
  }
}

void MemoryMuxer::write(AVPacket& packet, const AVStream& stream, AVRational time_base) {
  av_packet_rescale_ts(&packet, time_base, stream.time_base);
  packet.stream_index = stream.index;
  if (av_interleaved_write_frame(muxer_.get(), &packet) < 0) {
    throw ConfigError({file_.string(), "the container refused a packet", "use another extension"});
  }
}

void MemoryMuxer::finish() {
  if (av_write_trailer(muxer_.get()) < 0) {
    throw ConfigError(
        {file_.string(), "the container could not be completed", "use another extension"});
  }
  write_file_atomically(file_, bytes_->flushed());
}

void set_option(void* object, const std::string& name, const std::string& value, const char* of) {
  if (av_opt_set(object, name.c_str(), value.c_str(), AV_OPT_SEARCH_CHILDREN) < 0) {
    throw ConfigError(
        {name, fmt::format("the {} does not take the value '{}'", of, value), "check its options"});
  }
}

const AVCodec& encoder_named(const std::string& name) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(name.c_str());
  if (encoder == nullptr)
    throw ConfigError({name, "this FFmpeg has no such encoder", "see ffmpeg -encoders"});
  return *encoder;
}

}  // namespace tarsier::ffmpeg
