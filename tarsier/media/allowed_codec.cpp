#include "tarsier/media/allowed_codec.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"

namespace tarsier::ffmpeg {

const AVCodec* find_decoder(std::span<const AllowedCodec> allowed, AVCodecID id,
                            const std::string& where, std::string_view what,
                            const std::string& hint) {
  const auto row = std::find_if(allowed.begin(), allowed.end(),
                                [&](const AllowedCodec& c) { return c.id == id; });
  const AVCodec* decoder =
      row != allowed.end() ? avcodec_find_decoder_by_name(row->decoder) : nullptr;
  if (decoder == nullptr) {
    throw InputError({where,
                      fmt::format("{} of the kind '{}' is not decoded", what, avcodec_get_name(id)),
                      hint});
  }
  return decoder;
}

}  // namespace tarsier::ffmpeg
