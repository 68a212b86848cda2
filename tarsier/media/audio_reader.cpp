#include "tarsier/media/audio_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/media/audio_decoder.h"
#include "tarsier/media/audio_resampler.h"

namespace tarsier {

using namespace ffmpeg;

namespace {

// Containers round times, to a millisecond or to a tick of 90 kHz, and clocks drift a little.
constexpr double kToleratedSeconds = 0.1;
constexpr double kMostOverlapSeconds = 1;
constexpr double kFarAwaySeconds = 1e9;  // longer than any file

std::int64_t samples_in(double seconds) { return std::llround(seconds * kAudioRate); }

/// One reading of a track: decoder, resampler and the part that is kept.
class Reading {
 public:
  Reading(ContainerInput& input, int stream, double clock_start, const AudioOptions& options,
          const MediaLimits& limits)
      : input_(input),
        options_(options),
        limits_(limits),
        decoder_(input, stream),
        clock_start_(clock_start),
        first_kept_(samples_in(options.start_seconds)) {
    if (options.end_seconds < kFarAwaySeconds) kept_end_ = samples_in(options.end_seconds);
    // Growing by copying would need more than twice the memory of two hours.
    const double claimed = std::min(decoder_.claimed_seconds() + 1, options.end_seconds);
    const double kept = std::clamp(claimed - options.start_seconds, 0.0, limits.max_sound_seconds);
    audio_.samples.reserve(static_cast<std::size_t>(samples_in(kept)));
  }

  Audio run() {
    while (const AVFrame* frame = decoder_.next()) {
      if (frame->nb_samples == 0) continue;
      if (!take(*frame)) return std::move(audio_);
    }
    finish_piece();
    if (audio_.source_rate == 0) {
      throw InputError({input_.where(), "the sound track is empty", "remove it, or copy it again"});
    }
    return std::move(audio_);
  }

 private:
  /// False when all that is wanted has been read.
  bool take(const AVFrame& frame) {
    if (audio_.source_rate == 0) {
      audio_.source_rate = frame.sample_rate;
      audio_.source_channels = frame.ch_layout.nb_channels;
      audio_.codec = decoder_.codec_name();
    }
    if (resampler_ != nullptr && !resampler_->fits(frame)) finish_piece();
    const double length = static_cast<double>(frame.nb_samples) / std::max(1, frame.sample_rate);
    input_.extend_clock(limits_.wall_clock_seconds_per_media_minute * length / 60);
    if (!place(decoder_.seconds_of(frame), length)) return true;
    const bool begins_piece = resampler_ == nullptr;
    if (begins_piece && reached_ >= options_.end_seconds) {
      check_length(options_.end_seconds);
      keep_silence_until(kept_end_);
      return false;
    }
    const double begin = reached_;
    reached_ += length;
    check_length(std::min(reached_, options_.end_seconds));
    if (begins_piece) {
      resampler_ = std::make_unique<AudioResampler>(
          frame, options_.channels == AudioChannels::first, input_.where());
      position_ = samples_in(begin);
    }
    keep(resampler_->convert(frame));
    return position_ < kept_end_;
  }

  /// Moves `reached_` to where a frame begins; false when the frame is to be left out.
  bool place(double begin, double length) {
    const bool is_first = !std::exchange(has_begun_, true);
    if (std::isnan(begin)) return true;  // right behind the one before
    if (std::isinf(clock_start_)) clock_start_ = begin - reached_;
    begin -= clock_start_;
    if (is_first) {
      has_begun_ = begin + length > 0;
      reached_ = has_begun_ ? begin : 0;
      return has_begun_;
    }
    const double gap = begin - reached_;
    if (gap < -kMostOverlapSeconds) {
      throw InputError({input_.where(),
                        fmt::format("the times of its sound go back by {:.1f} seconds at {:.1f}",
                                    -gap, reached_),
                        "encode it again"});
    }
    if (gap < -kToleratedSeconds) return false;
    if (gap > kToleratedSeconds) {
      finish_piece();
      reached_ = begin;
    }
    return true;
  }

  /// `end`: where on the clock the part that is kept ends so far.
  void check_length(double end) const {
    constexpr double kRounding = 1.0 / kAudioRate;
    if (end - options_.start_seconds <= limits_.max_sound_seconds + kRounding) return;
    throw InputError({input_.where(),
                      fmt::format("its sound is longer than the limit of {:.0f} seconds",
                                  limits_.max_sound_seconds),
                      "cut it into parts, or ask for a part of it"});
  }

  /// Takes what the filter still holds. The next frame starts with a fresh one, at its own time.
  void finish_piece() {
    if (resampler_ != nullptr) keep(resampler_->drain());
    resampler_.reset();
  }

  void keep_silence_until(std::int64_t position) {
    const auto count = static_cast<std::size_t>(position - first_kept_);
    if (audio_.samples.size() < count) audio_.samples.resize(count);
  }

  /// Appends those of `samples`, which begin at position_, that are wanted, after silence up to
  /// there.
  void keep(std::span<const float> samples) {
    const auto count = static_cast<std::int64_t>(samples.size());
    const std::int64_t from = std::max(first_kept_, position_);
    const std::int64_t to = std::min(kept_end_, position_ + count);
    if (from < to) {
      const auto wanted = samples.subspan(static_cast<std::size_t>(from - position_),
                                          static_cast<std::size_t>(to - from));
      if (!std::all_of(wanted.begin(), wanted.end(), [](float v) { return std::isfinite(v); })) {
        throw InputError({input_.where(), "its sound holds values that are no finite numbers",
                          "encode it again"});
      }
      keep_silence_until(from);
      // The end of the piece before may overlap the start of this one by a sample.
      const std::size_t seen = audio_.samples.size() - static_cast<std::size_t>(from - first_kept_);
      if (seen < wanted.size()) {
        audio_.samples.insert(audio_.samples.end(),
                              wanted.begin() + static_cast<std::ptrdiff_t>(seen), wanted.end());
      }
    }
    position_ += count;
  }

  ContainerInput& input_;
  const AudioOptions& options_;
  const MediaLimits& limits_;
  AudioDecoder decoder_;
  std::unique_ptr<AudioResampler> resampler_;
  double clock_start_;
  std::int64_t first_kept_;
  std::int64_t kept_end_ = std::numeric_limits<std::int64_t>::max();
  double reached_ = 0;         // where the sound decoded so far ends, on the clock
  std::int64_t position_ = 0;  // on the clock, of the next sample the resampler gives
  bool has_begun_ = false;
  Audio audio_;
};

}  // namespace

std::optional<Audio> read_audio(const std::filesystem::path& file, const AudioOptions& options,
                                const MediaLimits& limits) {
  check(options.start_seconds >= 0 && options.start_seconds < kFarAwaySeconds,
        "sound starts at 0 or later");
  check(options.end_seconds > options.start_seconds, "sound ends after it starts");
  ContainerInput input(file, limits, ContainerUse::sound);
  const AudioTracks tracks = find_audio_tracks(input);
  const auto count = static_cast<int>(tracks.streams.size());
  if (options.track >= count && count > 0) {
    throw InputError({input.where(), fmt::format("there is no sound track {}", options.track),
                      fmt::format("it has tracks 0 to {}", count - 1)});
  }
  if (count == 0) return std::nullopt;
  const int track = options.track >= 0 ? options.track : tracks.best;
  return Reading(input, tracks.streams[static_cast<std::size_t>(track)], tracks.start_seconds,
                 options, limits)
      .run();
}

}  // namespace tarsier
