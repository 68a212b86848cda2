#pragma once

#include <span>
#include <string>
#include <vector>

#include "tarsier/media/ffmpeg_handles.h"

namespace tarsier::ffmpeg {

/// Turns decoded sound of one format into f32 samples, mono, at 16 kHz, with libswresample's own
/// filter and mixing rule: what `ffmpeg -ac 1 -ar 16000 -f f32le` writes. Used by one thread.
class AudioResampler {
 public:
  /// For frames like `frame`. InputError naming `where`: a rate or channels nothing can be made of.
  /// `first_channel`: channel 0 as it is, in place of all channels mixed.
  AudioResampler(const AVFrame& frame, bool first_channel, const std::string& where);
  ~AudioResampler();
  AudioResampler(const AudioResampler&) = delete;
  AudioResampler& operator=(const AudioResampler&) = delete;

  /// Whether `frame` has the format this was made for.
  bool fits(const AVFrame& frame) const;
  /// What comes out so far, valid until the next call. The first sample out is heard when the
  /// first one in is.
  std::span<const float> convert(const AVFrame& frame);
  /// The rest, after the last frame.
  std::span<const float> drain();

 private:
  std::span<const float> run(const std::uint8_t** data, int count);

  ResamplerPtr resampler_;
  AVChannelLayout layout_{};  // as frames say it
  int format_;
  int rate_;
  std::vector<float> out_;
};

}  // namespace tarsier::ffmpeg
