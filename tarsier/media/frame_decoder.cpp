#include "tarsier/media/frame_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/media/allowed_codec.h"

namespace tarsier::ffmpeg {
namespace {

constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

constexpr AllowedCodec kCodecs[] = {
    {AV_CODEC_ID_H264, "h264"},
    {AV_CODEC_ID_HEVC, "hevc"},
    {AV_CODEC_ID_AV1, "libdav1d"},
    {AV_CODEC_ID_VP8, "vp8"},
    {AV_CODEC_ID_VP9, "vp9"},
    {AV_CODEC_ID_MPEG4, "mpeg4"},
    {AV_CODEC_ID_MPEG2VIDEO, "mpeg2video"},
    {AV_CODEC_ID_MPEG1VIDEO, "mpeg1video"},
    {AV_CODEC_ID_H263, "h263"},
    {AV_CODEC_ID_FLV1, "flv"},
    {AV_CODEC_ID_MJPEG, "mjpeg"},
    {AV_CODEC_ID_GIF, "gif"},
    {AV_CODEC_ID_PNG, "png"},
    {AV_CODEC_ID_WEBP, "webp"},
    {AV_CODEC_ID_BMP, "bmp"},
    {AV_CODEC_ID_FFV1, "ffv1"},
};

bool is_damaged(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

}  // namespace

FrameDecoder::FrameDecoder(ContainerInput& input, const FrameTable& table,
                           const MediaLimits& limits)
    : input_(input),
      table_(table),
      limits_(limits),
      picture_(make_frame()),
      packet_(make_packet()) {
  gate_.max_pixels = limits.max_pixels;
  const AVCodecParameters& parameters = *table.parameters;
  if (std::int64_t{parameters.width} * parameters.height > limits.max_pixels) {
    gate_.refused = {parameters.height, parameters.width};
    throw_undecodable(0);
  }
  restart();
}

int FrameDecoder::get_buffer(AVCodecContext* codec, AVFrame* frame, int flags) {
  auto& gate = *static_cast<PixelGate*>(codec->opaque);
  if (std::int64_t{codec->width} * codec->height > gate.max_pixels) {
    gate.refused = {codec->height, codec->width};
    return AVERROR(EINVAL);
  }
  return avcodec_default_get_buffer2(codec, frame, flags);
}

void FrameDecoder::open_codec() {
  const AVCodec* decoder = find_decoder(kCodecs, table_.parameters->codec_id, input_.where(),
                                        "video", "encode it as H.264, HEVC, AV1 or VP9");
  codec_.reset(allocated(avcodec_alloc_context3(decoder)));
  if (avcodec_parameters_to_context(codec_.get(), table_.parameters.get()) < 0)
    throw_out_of_memory();
  codec_->pkt_timebase = table_.time_base;
  codec_->thread_count = limits_.decode_threads;
  codec_->thread_type = FF_THREAD_SLICE;  // frame threads would change what is reported when
  codec_->opaque = &gate_;
  codec_->get_buffer2 = get_buffer;
  codec_->codec_whitelist = av_strdup(decoder->name);
  // Still-image decoders allocate little before get_buffer; video decoders are stopped earlier,
  // with room for block padding.
  if (!table_.is_still_image) codec_->max_pixels = limits_.max_pixels + limits_.max_pixels / 8;
  if (avcodec_open2(codec_.get(), decoder, nullptr) < 0) throw_undecodable(0);
}

void FrameDecoder::restart() {
  input_.rewind();
  AVFormatContext& context = input_.context();
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    if (static_cast<int>(i) != table_.stream) context.streams[i]->discard = AVDISCARD_ALL;
  }
  open_codec();
  sent_ = run_start_ = come_out_ = 0;
  reached_ = whole_from_ = kAlways;
  has_picture_ = picture_damaged_ = damaged_run_ = draining_ = false;
}

// Where the container would not seek to that packet, the run starts at the first.
void FrameDecoder::start_at_key(std::int64_t position) {
  if (position == 0 || !try_seek(position)) restart();
}

bool FrameDecoder::try_seek(std::int64_t position) {
  const PacketEntry& key = table_.packets[static_cast<std::size_t>(position)];
  if (!input_.seek(table_.stream, key.dts != AV_NOPTS_VALUE ? key.dts : key.pts)) return false;
  std::int64_t landed = -1;
  while (landed < position && read_packet()) {
    // Streams without reordering may store the decoding time alone; the table took that.
    const std::int64_t pts = packet_->pts != AV_NOPTS_VALUE ? packet_->pts : packet_->dts;
    landed = pts != AV_NOPTS_VALUE ? table_.packet_at(pts) : -1;
    if (landed < 0) break;
  }
  if (landed != position) {
    av_packet_unref(packet_.get());
    return false;
  }
  avcodec_flush_buffers(codec_.get());
  has_picture_ = draining_ = false;
  reached_ = key.pts - 1;
  whole_from_ = kAlways;
  run_start_ = position;
  send(position);
  return true;
}

bool FrameDecoder::read_packet() {
  do {
    av_packet_unref(packet_.get());
    if (!input_.read(*packet_)) return false;
  } while (packet_->stream_index != table_.stream);
  return true;
}

void FrameDecoder::send(std::int64_t position) {
  const PacketEntry& entry = table_.packets[static_cast<std::size_t>(position)];
  // A GIF's or a still image's packet has no time of its own.
  if (packet_->pts == AV_NOPTS_VALUE || table_.is_still_image) packet_->pts = entry.pts;
  const bool corrupt = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0 || packet_->pts != entry.pts;
  if (avcodec_send_packet(codec_.get(), packet_.get()) < 0 || corrupt) note_damage(position);
  sent_ = position + 1;
  av_packet_unref(packet_.get());
}

void FrameDecoder::note_damage(std::int64_t position) {
  if (table_.must_decode_to_number) {
    damaged_run_ = true;
  } else {
    whole_from_ = std::max(whole_from_, table_.next_key_pts(position));
  }
}

bool FrameDecoder::send_next_packet() {
  if (sent_ >= static_cast<std::int64_t>(table_.packets.size()) || !read_packet()) return false;
  send(sent_);
  return true;
}

bool FrameDecoder::receive_picture() {
  constexpr int kFailuresAtTheEnd = 64;
  for (int failures = 0; failures < kFailuresAtTheEnd;) {
    input_.check_clock();
    const int result = avcodec_receive_frame(codec_.get(), picture_.get());
    if (result >= 0) return true;
    if (result == AVERROR_EOF) return false;
    if (result != AVERROR(EAGAIN)) {
      note_damage(std::max<std::int64_t>(sent_ - 1, 0));
      if (gate_.refused.width > 0) throw_undecodable(0);
      failures += draining_ ? 1 : 0;
    } else if (!draining_ && !send_next_packet()) {
      draining_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
    }
  }
  return false;
}

bool FrameDecoder::next_picture() {
  const AVFrame& picture = *picture_;
  // Pictures before the key frame of this run may lack references; nothing wanted refers to them.
  const bool by_number = table_.must_decode_to_number;
  const std::int64_t run_pts =
      by_number ? kAlways : table_.packets[static_cast<std::size_t>(run_start_)].pts;
  do {
    has_picture_ = receive_picture();
    if (!has_picture_) {
      reached_ = kNever;
      return false;
    }
  } while (!by_number && picture.pts < run_pts);
  if (by_number) {
    reached_ = come_out_++;
    if (picture.key_frame != 0) damaged_run_ = false;
    if (is_damaged(picture)) damaged_run_ = true;
    picture_damaged_ = damaged_run_;
    return true;
  }
  reached_ = picture.pts;
  const std::int64_t position = table_.packet_at(picture.pts);
  if (position >= 0 && is_damaged(picture)) note_damage(position);
  picture_damaged_ = position < 0 || is_damaged(picture) || picture.pts < whole_from_;
  return true;
}

std::vector<std::int64_t> FrameDecoder::number_by_decoding() {
  std::vector<std::int64_t> times;
  while (next_picture()) {
    times.push_back(picture_->best_effort_timestamp);
    if (static_cast<std::int64_t>(times.size()) > limits_.max_packets) {
      throw InputError({input_.where(), fmt::format("more than {} frames", limits_.max_packets),
                        "cut the video into parts"});
    }
  }
  if (gate_.refused.width > 0 || times.empty()) throw_undecodable(0);
  restart();
  // Where every packet has some time and gives one picture, the pictures have those times in order.
  std::vector<std::int64_t> stored;
  for (const PacketEntry& packet : table_.packets) {
    const std::int64_t time = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
    if (time != AV_NOPTS_VALUE && packet.is_shown) stored.push_back(time);
  }
  if (stored.size() == times.size()) {
    std::sort(stored.begin(), stored.end());
    return stored;
  }
  std::int64_t last = 0;
  for (std::int64_t& time : times) {
    if (time == AV_NOPTS_VALUE || time < last) time = last;
    last = time;
  }
  return times;
}

std::int64_t FrameDecoder::mark_of(std::int64_t index) const {
  if (table_.must_decode_to_number) return index;
  return table_.packets[static_cast<std::size_t>(table_.by_time[static_cast<std::size_t>(index)])]
      .pts;
}

bool FrameDecoder::decode_until(std::int64_t index) {
  while (reached_ < mark_of(index)) {
    if (!next_picture()) return false;
  }
  return is_at(index) && !picture_damaged_;
}

const AVFrame& FrameDecoder::frame(std::int64_t index) {
  constexpr std::int64_t kPacketsWorthASeek = 8;
  if (is_at(index) && !picture_damaged_) return *picture_;
  const bool gone_by = reached_ >= mark_of(index);
  // A GIF's pictures build on each other, whatever its packets claim.
  const bool seeks = !table_.must_decode_to_number && codec_->codec_id != AV_CODEC_ID_GIF;
  const std::int64_t key =
      seeks ? table_.key_before(table_.by_time[static_cast<std::size_t>(index)]) : 0;
  if (gone_by || key > sent_ + kPacketsWorthASeek) start_at_key(key);
  if (decode_until(index)) return *picture_;
  // From a key frame it did not come out whole (an open group of pictures, a container that seeks
  // inexactly): from the start.
  if (run_start_ > 0) {
    restart();
    if (decode_until(index)) return *picture_;
  }
  throw_undecodable(index);
}

void FrameDecoder::throw_undecodable(std::int64_t index) const {
  if (gate_.refused.width > 0) {
    throw InputError({input_.where(),
                      fmt::format("{} x {} pixels are more than the limit of {}",
                                  gate_.refused.width, gate_.refused.height, limits_.max_pixels),
                      "make the picture smaller"});
  }
  if (table_.is_still_image)
    throw InputError({input_.where(), "the picture is damaged or cut short", "save it again"});
  throw InputError({input_.where(), fmt::format("frame {} is damaged and cannot be decoded", index),
                    "encode the video again, or choose other frames"});
}

}  // namespace tarsier::ffmpeg
