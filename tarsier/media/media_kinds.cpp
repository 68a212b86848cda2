#include "tarsier/media/media_kinds.h"

#include "tarsier/media/container_input.h"
#include "tarsier/media/frame_table.h"

namespace tarsier {

MediaKinds media_kinds(const std::filesystem::path& file, const MediaLimits& limits) {
  ffmpeg::ContainerInput input(file, limits, ffmpeg::ContainerUse::sound);
  MediaKinds kinds;
  for (unsigned i = 0; i < input.context().nb_streams; ++i) {
    const AVStream& stream = *input.context().streams[i];
    kinds.pictures |= ffmpeg::is_readable_video(stream);
    kinds.sound |= stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  }
  return kinds;
}

}  // namespace tarsier
