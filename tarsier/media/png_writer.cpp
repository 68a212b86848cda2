#include "tarsier/media/png_writer.h"

#include <cstring>
#include <string_view>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/media/ffmpeg_handles.h"

namespace tarsier {

void write_png(const std::filesystem::path& file, std::span<const std::uint8_t> rgb, Size size) {
  check(size.height > 0 && size.width > 0 &&
            static_cast<std::int64_t>(rgb.size()) == size.height * size.width * 3,
        "a picture has height x width x 3 bytes");
  ffmpeg::route_log();
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (encoder == nullptr)
    throw ConfigError({"png", "this FFmpeg has no PNG encoder", "install a full FFmpeg"});
  const ffmpeg::CodecPtr codec(ffmpeg::allocated(avcodec_alloc_context3(encoder)));
  codec->width = static_cast<int>(size.width);
  codec->height = static_cast<int>(size.height);
  codec->pix_fmt = AV_PIX_FMT_RGB24;
  codec->time_base = {1, 1};
  codec->thread_count = 1;
  const ffmpeg::FramePtr frame = ffmpeg::make_frame();
  frame->format = AV_PIX_FMT_RGB24;
  frame->width = codec->width;
  frame->height = codec->height;
  frame->pts = 0;
  if (avcodec_open2(codec.get(), encoder, nullptr) < 0 || av_frame_get_buffer(frame.get(), 0) < 0) {
    ffmpeg::throw_out_of_memory();
  }
  const auto row_bytes = static_cast<std::size_t>(size.width * 3);
  for (std::int64_t y = 0; y < size.height; ++y) {
    std::memcpy(frame->data[0] + y * frame->linesize[0], rgb.data() + y * size.width * 3,
                row_bytes);
  }
  const ffmpeg::PacketPtr packet = ffmpeg::make_packet();
  if (avcodec_send_frame(codec.get(), frame.get()) < 0 ||
      avcodec_send_frame(codec.get(), nullptr) < 0 ||
      avcodec_receive_packet(codec.get(), packet.get()) < 0) {
    ffmpeg::throw_out_of_memory();
  }
  write_file_atomically(
      file, {reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size)});
}

}  // namespace tarsier
