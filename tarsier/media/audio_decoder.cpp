#include "tarsier/media/audio_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/media/allowed_codec.h"
#include "tarsier/media/frame_table.h"

namespace tarsier::ffmpeg {
namespace {

constexpr AllowedCodec kCodecs[] = {
    {AV_CODEC_ID_AAC, "aac"},
    {AV_CODEC_ID_MP3, "mp3float"},
    {AV_CODEC_ID_MP2, "mp2float"},
    {AV_CODEC_ID_OPUS, "opus"},
    {AV_CODEC_ID_VORBIS, "vorbis"},
    {AV_CODEC_ID_FLAC, "flac"},
    {AV_CODEC_ID_ALAC, "alac"},
    {AV_CODEC_ID_AC3, "ac3"},
    {AV_CODEC_ID_EAC3, "eac3"},
    {AV_CODEC_ID_DTS, "dca"},
    {AV_CODEC_ID_AMR_NB, "amrnb"},
    {AV_CODEC_ID_AMR_WB, "amrwb"},
    {AV_CODEC_ID_ADPCM_MS, "adpcm_ms"},
    {AV_CODEC_ID_ADPCM_IMA_WAV, "adpcm_ima_wav"},
    {AV_CODEC_ID_ADPCM_IMA_QT, "adpcm_ima_qt"},
    {AV_CODEC_ID_ADPCM_SWF, "adpcm_swf"},
    {AV_CODEC_ID_NELLYMOSER, "nellymoser"},
    {AV_CODEC_ID_PCM_U8, "pcm_u8"},
    {AV_CODEC_ID_PCM_S8, "pcm_s8"},
    {AV_CODEC_ID_PCM_S16LE, "pcm_s16le"},
    {AV_CODEC_ID_PCM_S16BE, "pcm_s16be"},
    {AV_CODEC_ID_PCM_S24LE, "pcm_s24le"},
    {AV_CODEC_ID_PCM_S24BE, "pcm_s24be"},
    {AV_CODEC_ID_PCM_S32LE, "pcm_s32le"},
    {AV_CODEC_ID_PCM_S32BE, "pcm_s32be"},
    {AV_CODEC_ID_PCM_F32LE, "pcm_f32le"},
    {AV_CODEC_ID_PCM_F32BE, "pcm_f32be"},
    {AV_CODEC_ID_PCM_F64LE, "pcm_f64le"},
    {AV_CODEC_ID_PCM_F64BE, "pcm_f64be"},
    {AV_CODEC_ID_PCM_MULAW, "pcm_mulaw"},
    {AV_CODEC_ID_PCM_ALAW, "pcm_alaw"},
    {AV_CODEC_ID_PCM_BLURAY, "pcm_bluray"},
};
// A forged header may claim more for one frame than the whole file could hold.
constexpr std::int64_t kMaxSamplesOfAFrame = 1 << 22;

int preference(const AVStream& stream) {
  constexpr int kForFew = AV_DISPOSITION_HEARING_IMPAIRED | AV_DISPOSITION_VISUAL_IMPAIRED;
  return ((stream.disposition & kForFew) == 0 ? 1 : 0) +
         ((stream.disposition & AV_DISPOSITION_DEFAULT) != 0 ? 1 : 0);
}

}  // namespace

AudioTracks find_audio_tracks(ContainerInput& input) {
  const AVFormatContext& context = input.context();
  AudioTracks tracks;
  tracks.start_seconds = std::numeric_limits<double>::infinity();
  double sound_start = tracks.start_seconds;
  int video = -1;
  const PacketPtr packet = make_packet();
  for (std::int64_t walked = 0; walked <= kPacketsWithSound && input.read(*packet);
       ++walked, av_packet_unref(packet.get())) {
    const AVStream& stream = *context.streams[packet->stream_index];
    if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
      sound_start = std::min(sound_start, sound_packet_seconds(stream, *packet));
    if (video < 0 && is_readable_video(stream)) video = packet->stream_index;
    if (packet->stream_index != video || !is_shown_picture(stream, *packet)) continue;
    const std::int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time == AV_NOPTS_VALUE) continue;
    tracks.start_seconds =
        std::min(tracks.start_seconds, static_cast<double>(time) * av_q2d(stream.time_base));
  }
  if (std::isfinite(tracks.start_seconds))
    tracks.start_seconds = std::min(tracks.start_seconds, sound_start);
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    const AVStream& stream = *context.streams[i];
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_AUDIO) continue;
    tracks.streams.push_back(static_cast<int>(i));
    const auto best = static_cast<std::size_t>(tracks.best);
    if (tracks.best < 0 ||
        preference(stream) > preference(*context.streams[tracks.streams[best]])) {
      tracks.best = static_cast<int>(tracks.streams.size()) - 1;
    }
  }
  return tracks;
}

AudioDecoder::AudioDecoder(ContainerInput& input, int stream)
    : input_(input), stream_(stream), frame_(make_frame()), packet_(make_packet()) {
  input_.rewind(PacketTimes::filled_in);
  AVFormatContext& context = input_.context();
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    if (static_cast<int>(i) != stream_) context.streams[i]->discard = AVDISCARD_ALL;
  }
}

// At the first packet: some containers tell the codec's settings only then.
void AudioDecoder::open_codec() {
  const AVStream& stream = *input_.context().streams[stream_];
  const AVCodec* decoder = find_decoder(kCodecs, stream.codecpar->codec_id, input_.where(), "sound",
                                        "encode it as AAC, MP3, Opus, FLAC or PCM");
  codec_.reset(allocated(avcodec_alloc_context3(decoder)));
  if (avcodec_parameters_to_context(codec_.get(), stream.codecpar) < 0) throw_out_of_memory();
  codec_->pkt_timebase = stream.time_base;
  codec_->thread_count = 1;
  codec_->max_samples = kMaxSamplesOfAFrame;
  codec_->codec_whitelist = av_strdup(decoder->name);
  // FLAC's frames carry checksums that are right in every sound file.
  if (codec_->codec_id == AV_CODEC_ID_FLAC) {
    codec_->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  }
  if (avcodec_open2(codec_.get(), decoder, nullptr) < 0) throw_damaged();
}

const AVFrame* AudioDecoder::next() {
  while (true) {
    input_.check_clock();
    if (codec_ != nullptr) {
      const int result = avcodec_receive_frame(codec_.get(), frame_.get());
      if (result == AVERROR_EOF) return nullptr;
      if (result >= 0) {
        if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0)
          throw_damaged();
        if (frame_->sample_rate > 0)
          decoded_seconds_ += static_cast<double>(frame_->nb_samples) / frame_->sample_rate;
        return frame_.get();
      }
      if (result != AVERROR(EAGAIN) || draining_) throw_damaged();
    }
    send_next_packet();
  }
}

void AudioDecoder::send_next_packet() {
  do {
    av_packet_unref(packet_.get());
    if (!input_.read(*packet_)) {
      check_not_cut_short();
      draining_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
      return;
    }
  } while (packet_->stream_index != stream_ || packet_->size == 0);
  if (codec_ == nullptr) open_codec();
  ++packets_;
  const bool corrupt = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
  if (avcodec_send_packet(codec_.get(), packet_.get()) < 0 || corrupt) throw_damaged();
}

void AudioDecoder::check_not_cut_short() const {
  const AVStream* stream = stream_if_met();
  const bool is_mov = stream != nullptr && input_.format_name().starts_with("mov");
  const std::int64_t promised = is_mov ? avformat_index_get_entries_count(stream) : 0;
  if (packets_ < promised || input_.damaged_end()) {
    throw InputError(
        {input_.where(),
         fmt::format("damaged or cut short after {:.1f} seconds of sound", decoded_seconds_),
         "copy it again"});
  }
  if (codec_ == nullptr)
    throw InputError({input_.where(), "the sound track is empty", "remove it, or copy it again"});
}

double AudioDecoder::seconds_of(const AVFrame& frame) const {
  const std::int64_t time = frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
  if (time == AV_NOPTS_VALUE) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(time) * av_q2d(codec_->pkt_timebase);
}

const AVStream* AudioDecoder::stream_if_met() const {
  const AVFormatContext& context = input_.context();
  return stream_ < static_cast<int>(context.nb_streams) ? context.streams[stream_] : nullptr;
}

double AudioDecoder::claimed_seconds() const {
  const AVFormatContext& context = input_.context();
  const AVStream* stream = stream_if_met();
  if (stream != nullptr && stream->duration > 0)
    return static_cast<double>(stream->duration) * av_q2d(stream->time_base);
  return context.duration > 0 ? static_cast<double>(context.duration) / AV_TIME_BASE : 0;
}

void AudioDecoder::throw_damaged() const {
  throw InputError({input_.where(),
                    fmt::format("the sound after {:.1f} seconds is damaged and cannot be decoded",
                                decoded_seconds_),
                    "encode it again"});
}

}  // namespace tarsier::ffmpeg
