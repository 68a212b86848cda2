#include "tarsier/media/audio_writer.h"

#include "tarsier/media/audio_encoder.h"
#include "tarsier/media/memory_muxer.h"

namespace tarsier {

void write_audio(const std::filesystem::path& file, std::span<const float> samples,
                 const AudioTrackOptions& options) {
  ffmpeg::MemoryMuxer muxer(file, "use .wav, .flac, .m4a, .ogg, .mka or .aac");
  ffmpeg::AudioEncoder encoder(muxer, options);
  muxer.write_header({}, options.codec);
  encoder.encode(samples);
  encoder.finish();
  muxer.finish();
}

}  // namespace tarsier
