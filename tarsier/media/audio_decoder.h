#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/media/container_input.h"

namespace tarsier::ffmpeg {

/// The sound tracks of a file, as its first packets tell them.
struct AudioTracks {
  std::vector<int> streams;  // in the file's order
  int best = -1;             // position in `streams`; -1: there are none
  /// Where the container's clock starts: at its earliest picture or sound, as VideoReader's.
  /// Infinity for files without pictures, whose clock starts with the first sound.
  double start_seconds = 0;
};

/// Reads the first packets. The best track is the first of those the file marks as default and
/// that are not for people who see or hear badly; else the first of the others.
AudioTracks find_audio_tracks(ContainerInput& input);

/// Decodes one sound track from its first packet to its last, with an encoder's priming cut where
/// the file tells of it. Used by one thread; `input` outlives it.
class AudioDecoder {
 public:
  /// Starts `input` again from its first byte.
  AudioDecoder(ContainerInput& input, int stream);

  /// The next piece of sound, valid until the next call; nullptr at the end. InputError: a codec
  /// that is not on the short list, sound that cannot be decoded, a track without any, a file cut
  /// short, out of time.
  const AVFrame* next();
  /// When `frame` begins, in seconds of the container; NaN when it has no time.
  double seconds_of(const AVFrame& frame) const;
  /// How long the file claims its sound is, or 0: a guess for memory, never to be trusted.
  double claimed_seconds() const;
  const char* codec_name() const { return avcodec_get_name(codec_->codec_id); }

 private:
  /// Some containers tell of a stream only at its first packet; nullptr before.
  const AVStream* stream_if_met() const;
  void open_codec();
  void send_next_packet();
  void check_not_cut_short() const;
  [[noreturn]] void throw_damaged() const;

  ContainerInput& input_;
  int stream_;
  CodecPtr codec_;
  FramePtr frame_;
  PacketPtr packet_;
  std::int64_t packets_ = 0;  // sent so far
  double decoded_seconds_ = 0;
  bool draining_ = false;
};

}  // namespace tarsier::ffmpeg
