#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <span>
#include <string>
#include <string_view>

namespace tarsier::ffmpeg {

/// A codec that is decoded, and the decoder that does it.
struct AllowedCodec {
  AVCodecID id;
  const char* decoder;
};

/// The decoder of `id`. InputError naming `where`, what it is ("video", "sound") and `hint` when
/// the codec is not allowed or FFmpeg was built without its decoder.
const AVCodec* find_decoder(std::span<const AllowedCodec> allowed, AVCodecID id,
                            const std::string& where, std::string_view what,
                            const std::string& hint);

}  // namespace tarsier::ffmpeg
