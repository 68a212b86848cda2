#pragma once

#include <cstdint>
#include <span>

#include "tarsier/media/audio_writer.h"
#include "tarsier/media/memory_muxer.h"

namespace tarsier::ffmpeg {

/// The sound stream of a file being written. Made before the header, then given all sound, then
/// finished; `muxer` outlives it.
class AudioEncoder {
 public:
  /// ConfigError: no such encoder, or one that does not take the rate or channels.
  AudioEncoder(MemoryMuxer& muxer, const AudioTrackOptions& options);
  /// `samples`: f32 [samples, channels]. The last frame may be short, so once.
  void encode(std::span<const float> samples);
  void finish();

 private:
  void send(const AVFrame* frame);

  MemoryMuxer& muxer_;
  AudioTrackOptions options_;
  CodecPtr codec_;
  ResamplerPtr converter_;  // to the encoder's kind of sample
  AVStream* stream_ = nullptr;
};

}  // namespace tarsier::ffmpeg
