#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/media/limits.h"

namespace tarsier {

inline constexpr int kAudioRate = 16'000;  // samples a second of everything read

enum class AudioChannels {
  mixed,  // all of them to one, any rate: FFmpeg's `-ac 1 -ar 16000`
  first,  // channel 0 as it is, of sound that has 16 kHz already
};

struct AudioOptions {
  int track = -1;            // among the file's sound tracks, from 0; -1: the best
  double start_seconds = 0;  // on the clock of VideoReader::frame_seconds ...
  double end_seconds = std::numeric_limits<double>::infinity();  // ... up to here, or to the end
  AudioChannels channels = AudioChannels::mixed;
};

/// Sound of one track. Sample i is heard i / 16000 s after start_seconds.
struct Audio {
  std::vector<float> samples;  // [samples], mono, 16 kHz; in [-1, 1] but for loud mixes
  int source_rate = 0;         // of the track's first sound
  int source_channels = 0;
  std::string codec;  // "aac"
};

/// Reads a sound track of a video or sound file; nullopt when it has none.
///
/// Samples equal what `ffmpeg -ac 1 -ar 16000 -f f32le` writes: mono is the sum of the channels
/// with FFmpeg's weights, not brought down to 1 (stereo: 0.7071 of each; 5.1: 0.7071 left and
/// right, 1 centre, 0.5 each surround; no low effects), and the filter is libswresample's own.
/// They lie on the clock of VideoReader::frame_seconds; in a file without pictures it starts with
/// the track's first sample. Sound that begins
/// later than the picture follows silence, gaps over 0.1 s are silent, sound before the clock's
/// start is cut, and so is sound that overlaps what came before it by 0.1 to 1 s. Nothing is
/// padded at the end. The result of [start, end) is that part of the whole.
///
/// InputError: no such file, not a known container or codec, no such track, an empty track, sound
/// that is damaged, cut short or not finite, whose times go back by over 1 s, or that is over a
/// limit (max_sound_seconds, wall clock). A file over the limit is read that far, never held whole.
std::optional<Audio> read_audio(const std::filesystem::path& file, const AudioOptions& options = {},
                                const MediaLimits& limits = {});

}  // namespace tarsier
