#include "tarsier/media/audio_resampler.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/media/audio_reader.h"

namespace tarsier::ffmpeg {
namespace {

// Outside these a header is forged; the filter's length grows with the rate.
constexpr int kMinRate = 1'000;
constexpr int kMaxRate = 768'000;

}  // namespace

AudioResampler::AudioResampler(const AVFrame& frame, bool first_channel, const std::string& where)
    : format_(frame.format), rate_(frame.sample_rate) {
  if (rate_ < kMinRate || rate_ > kMaxRate) {
    throw InputError({where, fmt::format("its sound claims {} samples a second", rate_),
                      fmt::format("{} to {} are read", kMinRate, kMaxRate)});
  }
  if (first_channel && rate_ != kAudioRate) {
    throw InputError({where,
                      fmt::format("its sound has {} samples a second, not {}", rate_, kAudioRate),
                      "resample it to 16 kHz first"});
  }
  const int channels = frame.ch_layout.nb_channels;
  AVChannelLayout in{};
  // Channels without places get the usual ones of their number.
  if (frame.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&in, channels);
  } else if (av_channel_layout_copy(&in, &frame.ch_layout) < 0) {
    throw_out_of_memory();
  }
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  SwrContext* made = nullptr;
  int result = swr_alloc_set_opts2(&made, &mono, AV_SAMPLE_FMT_FLT, kAudioRate, &in,
                                   static_cast<AVSampleFormat>(format_), rate_, 0, nullptr);
  resampler_.reset(made);
  if (result >= 0 && first_channel) {
    std::vector<double> weights(static_cast<std::size_t>(channels), 0.0);
    weights[0] = 1;
    result = swr_set_matrix(made, weights.data(), channels);
  }
  if (result >= 0) result = swr_init(made);
  av_channel_layout_uninit(&in);
  if (result < 0) {
    throw InputError({where,
                      fmt::format("its {} channels of sound cannot be mixed to one", channels),
                      "mix it to mono or stereo first"});
  }
  if (av_channel_layout_copy(&layout_, &frame.ch_layout) < 0) throw_out_of_memory();
}

AudioResampler::~AudioResampler() { av_channel_layout_uninit(&layout_); }

bool AudioResampler::fits(const AVFrame& frame) const {
  return frame.format == format_ && frame.sample_rate == rate_ &&
         av_channel_layout_compare(&frame.ch_layout, &layout_) == 0;
}

std::span<const float> AudioResampler::convert(const AVFrame& frame) {
  return run(const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
}

std::span<const float> AudioResampler::drain() { return run(nullptr, 0); }

std::span<const float> AudioResampler::run(const std::uint8_t** data, int count) {
  const int room = swr_get_out_samples(resampler_.get(), count);
  if (room < 0) throw_out_of_memory();
  if (out_.size() < static_cast<std::size_t>(room)) out_.resize(static_cast<std::size_t>(room));
  auto* target = reinterpret_cast<std::uint8_t*>(out_.data());
  const int made = swr_convert(resampler_.get(), &target, room, data, count);
  if (made < 0) throw_out_of_memory();
  return {out_.data(), static_cast<std::size_t>(made)};
}

}  // namespace tarsier::ffmpeg
