#include "tarsier/media/audio_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier::ffmpeg {
namespace {

constexpr int kFrameOfUncoded = 1024;  // samples; PCM takes any number

}  // namespace

AudioEncoder::AudioEncoder(MemoryMuxer& muxer, const AudioTrackOptions& options)
    : muxer_(muxer), options_(options) {
  check(options.sample_rate > 0 && options.channels > 0, "sound has a rate and channels");
  const AVCodec& encoder = encoder_named(options.codec);
  codec_.reset(allocated(avcodec_alloc_context3(&encoder)));
  if (encoder.sample_fmts == nullptr)
    throw ConfigError({options.codec, "is no encoder of sound", "use aac, flac or pcm_s16le"});
  codec_->sample_fmt = encoder.sample_fmts[0];
  codec_->sample_rate = options.sample_rate;
  av_channel_layout_default(&codec_->ch_layout, options.channels);
  codec_->time_base = {1, options.sample_rate};
  if (options.bits_per_second > 0) codec_->bit_rate = options.bits_per_second;
  codec_->thread_count = 1;
  codec_->flags |= AV_CODEC_FLAG_BITEXACT;
  if (muxer.wants_global_header()) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (avcodec_open2(codec_.get(), &encoder, nullptr) < 0) {
    throw ConfigError({options.codec,
                       fmt::format("cannot encode {} channels at {} samples a second",
                                   options.channels, options.sample_rate),
                       "choose another rate"});
  }
  SwrContext* made = nullptr;
  const int result =
      swr_alloc_set_opts2(&made, &codec_->ch_layout, codec_->sample_fmt, options.sample_rate,
                          &codec_->ch_layout, AV_SAMPLE_FMT_FLT, options.sample_rate, 0, nullptr);
  converter_.reset(made);
  if (result < 0 || swr_init(made) < 0) throw_out_of_memory();
  stream_ = allocated(avformat_new_stream(&muxer.context(), nullptr));
  stream_->time_base = codec_->time_base;
  if (avcodec_parameters_from_context(stream_->codecpar, codec_.get()) < 0) throw_out_of_memory();
}

void AudioEncoder::encode(std::span<const float> samples) {
  const auto channels = static_cast<std::size_t>(options_.channels);
  check(samples.size() % channels == 0, "sound has a value for each channel");
  const std::size_t total = samples.size() / channels;
  const auto frame_size =
      static_cast<std::size_t>(codec_->frame_size > 0 ? codec_->frame_size : kFrameOfUncoded);
  const std::int64_t start = std::llround(options_.start_seconds * options_.sample_rate);
  for (std::size_t at = 0; at < total; at += frame_size) {
    const FramePtr frame = make_frame();
    frame->nb_samples = static_cast<int>(std::min(frame_size, total - at));
    frame->format = codec_->sample_fmt;
    frame->sample_rate = codec_->sample_rate;
    frame->pts = start + static_cast<std::int64_t>(at);
    if (av_channel_layout_copy(&frame->ch_layout, &codec_->ch_layout) < 0 ||
        av_frame_get_buffer(frame.get(), 0) < 0) {
      throw_out_of_memory();
    }
    const auto* source = reinterpret_cast<const std::uint8_t*>(samples.data() + at * channels);
    if (swr_convert(converter_.get(), frame->extended_data, frame->nb_samples, &source,
                    frame->nb_samples) != frame->nb_samples) {
      throw_out_of_memory();
    }
    send(frame.get());
  }
}

void AudioEncoder::finish() { send(nullptr); }

void AudioEncoder::send(const AVFrame* frame) {
  const PacketPtr packet = make_packet();
  int result = avcodec_send_frame(codec_.get(), frame);
  while (result >= 0) {
    result = avcodec_receive_packet(codec_.get(), packet.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
    if (result >= 0) muxer_.write(*packet, *stream_, codec_->time_base);
  }
  throw ConfigError({options_.codec, "the encoder refused sound", "use another encoder"});
}

}  // namespace tarsier::ffmpeg
