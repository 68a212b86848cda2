#include "tarsier/media/video_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/media/audio_encoder.h"
#include "tarsier/media/ffmpeg_handles.h"
#include "tarsier/media/memory_muxer.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

namespace tarsier {
namespace {

using namespace ffmpeg;

constexpr int kMilliseconds = 1000;

}  // namespace

struct VideoWriter::Encoder {
  Encoder(std::filesystem::path path, Size of, const VideoWriterOptions& wanted)
      : size(of), options(wanted), muxer(std::move(path), "use .mp4, .mkv, .webm, .avi or .gif") {
    check(size.height > 0 && size.width > 0, "a video has a positive size");
    check(options.frames_per_second > 0, "a video has a positive frame rate");
  }

  // Both times are known only at the first frame: whether the rate is constant decides the time
  // base.
  void open(bool milliseconds) {
    time_base =
        milliseconds ? AVRational{1, kMilliseconds} : AVRational{1, options.frames_per_second};
    const AVCodec& encoder = encoder_named(options.codec);
    codec.reset(allocated(avcodec_alloc_context3(&encoder)));
    codec->width = static_cast<int>(size.width);
    codec->height = static_cast<int>(size.height);
    codec->pix_fmt = av_get_pix_fmt(options.pixel_format.c_str());
    codec->time_base = time_base;
    codec->framerate = milliseconds ? AVRational{0, 1} : AVRational{options.frames_per_second, 1};
    codec->thread_count = options.threads;
    codec->flags |= AV_CODEC_FLAG_BITEXACT;
    if (muxer.wants_global_header()) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (options.gop_size > 0) codec->gop_size = options.gop_size;
    if (options.b_frames >= 0) codec->max_b_frames = options.b_frames;
    const bool is_rgb = (av_pix_fmt_desc_get(codec->pix_fmt) != nullptr) &&
                        (av_pix_fmt_desc_get(codec->pix_fmt)->flags &
                         (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
    codec->color_range = options.full_range || is_rgb ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    if (!is_rgb && options.matrix == "bt709") codec->colorspace = AVCOL_SPC_BT709;
    if (!is_rgb && options.matrix == "bt601") codec->colorspace = AVCOL_SPC_SMPTE170M;
    if (options.crf >= 0 && av_opt_find(codec->priv_data, "crf", nullptr, 0, 0) != nullptr) {
      set_option(codec.get(), "crf", std::to_string(options.crf), "encoder");
    }
    if (options.codec == "libx264" || options.codec == "libx265") {
      set_option(codec.get(), "preset", options.preset, "encoder");
    }
    for (const auto& [name, value] : options.encoder_options)
      set_option(codec.get(), name, value, "encoder");
    if (avcodec_open2(codec.get(), &encoder, nullptr) < 0) {
      throw ConfigError({options.codec,
                         fmt::format("cannot encode {} x {} pixels as {}", size.width, size.height,
                                     options.pixel_format),
                         "choose another size or pixel format"});
    }
    open_muxer();
    open_scaler(is_rgb);
  }

  void open_muxer() {
    AVFormatContext& context = muxer.context();
    stream = allocated(avformat_new_stream(&context, nullptr));
    stream->time_base = time_base;
    stream->avg_frame_rate = codec->framerate;
    if (avcodec_parameters_from_context(stream->codecpar, codec.get()) < 0) throw_out_of_memory();
    if (options.rotation_degrees != 0) {
      std::uint8_t* matrix = allocated(
          av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(std::int32_t)));
      av_display_rotation_set(reinterpret_cast<std::int32_t*>(matrix), options.rotation_degrees);
    }
    if (!options.comment.empty())
      av_dict_set(&context.metadata, "comment", options.comment.c_str(), 0);
    std::string codecs = options.codec;
    if (!options.sound.codec.empty()) {
      sound_encoder = std::make_unique<AudioEncoder>(muxer, options.sound);
      codecs += " with " + options.sound.codec;
    }
    muxer.write_header(options.muxer_options, codecs);
  }

  void open_scaler(bool is_rgb) {
    picture = make_frame();
    picture->format = codec->pix_fmt;
    picture->width = codec->width;
    picture->height = codec->height;
    if (av_frame_get_buffer(picture.get(), 0) < 0) throw_out_of_memory();
    scaler.reset(sws_getContext(codec->width, codec->height, AV_PIX_FMT_RGB24, codec->width,
                                codec->height, codec->pix_fmt,
                                SWS_BILINEAR | SWS_FULL_CHR_H_INP | SWS_ACCURATE_RND | SWS_BITEXACT,
                                nullptr, nullptr, nullptr));
    if (scaler == nullptr) {
      throw ConfigError({options.pixel_format, "pictures cannot be converted to this pixel format",
                         "use yuv420p"});
    }
    if (is_rgb) return;
    const int* matrix =
        sws_getCoefficients(options.matrix == "bt709" ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(scaler.get(), matrix, 1, matrix, options.full_range ? 1 : 0, 0,
                             1 << 16, 1 << 16);
  }

  void write(std::span<const std::uint8_t> rgb, std::int64_t pts) {
    check(static_cast<std::int64_t>(rgb.size()) == size.height * size.width * 3,
          "a picture has height x width x 3 bytes");
    check(frames == 0 || pts > last_pts, "frame times ascend");
    if (av_frame_make_writable(picture.get()) < 0) throw_out_of_memory();
    const std::uint8_t* planes[] = {rgb.data()};
    const int strides[] = {static_cast<int>(size.width * 3)};
    sws_scale(scaler.get(), planes, strides, 0, codec->height, picture->data, picture->linesize);
    picture->pts = pts + std::llround(options.start_seconds * time_base.den);
    picture->pict_type = AV_PICTURE_TYPE_NONE;
    last_pts = pts;
    ++frames;
    encode(picture.get());
  }

  void encode(const AVFrame* frame) {
    const PacketPtr packet = make_packet();
    int result = avcodec_send_frame(codec.get(), frame);
    while (result >= 0) {
      result = avcodec_receive_packet(codec.get(), packet.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
      if (result < 0) break;
      // Without a duration the last frame would end as it starts, and an edit list would drop it.
      if (packet->duration == 0)
        packet->duration = std::max(1, time_base.den / options.frames_per_second);
      muxer.write(*packet, *stream, codec->time_base);
    }
    throw ConfigError(
        {options.codec, "the encoder refused a frame", "use another encoder or pixel format"});
  }

  void finish() {
    check(frames > 0, "a video has at least one frame");
    check(!finished, "a video is finished once");
    finished = true;
    encode(nullptr);
    if (sound_encoder != nullptr) {
      sound_encoder->encode(sound);
      sound_encoder->finish();
    }
    muxer.finish();
  }

  Size size;
  VideoWriterOptions options;
  MemoryMuxer muxer;
  std::unique_ptr<AudioEncoder> sound_encoder;
  std::vector<float> sound;  // encoded at the end: the muxer puts its packets between the others
  CodecPtr codec;
  ScalerPtr scaler;
  FramePtr picture;
  AVStream* stream = nullptr;
  AVRational time_base{1, 1};
  std::int64_t frames = 0;
  std::int64_t last_pts = 0;
  bool in_milliseconds = false;
  bool finished = false;
};

VideoWriter::VideoWriter(const std::filesystem::path& file, Size size,
                         const VideoWriterOptions& options)
    : encoder_(std::make_unique<Encoder>(file, size, options)) {}
VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

void VideoWriter::write(std::span<const std::uint8_t> rgb) {
  if (encoder_->frames == 0) encoder_->open(false);
  check(!encoder_->in_milliseconds, "a video has times for all frames or for none");
  encoder_->write(rgb, encoder_->frames);
}

void VideoWriter::write_at(std::span<const std::uint8_t> rgb, std::int64_t milliseconds) {
  if (encoder_->frames == 0) {
    encoder_->open(true);
    encoder_->in_milliseconds = true;
  }
  check(encoder_->in_milliseconds, "a video has times for all frames or for none");
  encoder_->write(rgb, milliseconds);
}

void VideoWriter::write_sound(std::span<const float> samples) {
  check(!encoder_->options.sound.codec.empty(), "a video with sound names its codec");
  encoder_->sound.insert(encoder_->sound.end(), samples.begin(), samples.end());
}

void VideoWriter::finish() { encoder_->finish(); }

}  // namespace tarsier
