#include "tarsier/media/frame_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "tarsier/base/error.h"

namespace tarsier::ffmpeg {
namespace {

int find_video(const AVFormatContext& context) {
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    if (is_readable_video(*context.streams[i])) return static_cast<int>(i);
  }
  return -1;
}

void discard_all_but(AVFormatContext& context, int stream, bool keep_sound) {
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    const bool sound = context.streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    const bool keep = static_cast<int>(i) == stream || (keep_sound && sound) || stream < 0;
    context.streams[i]->discard = keep ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

/// VP8 packets that only refresh a reference carry a time but no picture (RFC 6386, 9.1: show_frame
/// is bit 4).
bool is_hidden(const AVStream& stream, const AVPacket& packet) {
  return stream.codecpar->codec_id == AV_CODEC_ID_VP8 && packet.size > 0 &&
         (packet.data[0] & 0x10) == 0;
}

/// `next_pts` is where a GIF's picture starts: GIFs store durations alone.
PacketEntry entry_of(const AVStream& stream, const AVPacket& packet, std::int64_t next_pts) {
  PacketEntry entry{packet.pts, packet.dts, packet.duration, (packet.flags & AV_PKT_FLAG_KEY) != 0,
                    false};
  entry.is_shown = is_shown_picture(stream, packet);
  const AVCodecDescriptor* codec = avcodec_descriptor_get(stream.codecpar->codec_id);
  const bool intra_only = codec != nullptr && (codec->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
  if (stream.codecpar->codec_id == AV_CODEC_ID_GIF) entry.pts = next_pts;
  if (entry.pts == AV_NOPTS_VALUE && intra_only) entry.pts = entry.dts;  // nothing is reordered
  return entry;
}

/// Fills by_pts and by_time, or must_decode_to_number.
void number_frames(FrameTable& table) {
  const auto& packets = table.packets;
  table.must_decode_to_number = true;
  if (!packets.front().is_key) return;
  for (const PacketEntry& packet : packets) {
    if (packet.pts == AV_NOPTS_VALUE) return;
    if (packet.pts < packets.front().pts)
      return;  // leading pictures whose references may be missing
  }
  table.by_pts.resize(packets.size());
  std::iota(table.by_pts.begin(), table.by_pts.end(), 0);
  const auto pts = [&](std::int64_t i) { return packets[static_cast<std::size_t>(i)].pts; };
  std::sort(table.by_pts.begin(), table.by_pts.end(),
            [&](auto a, auto b) { return pts(a) < pts(b); });
  const auto equal = [&](auto a, auto b) { return pts(a) == pts(b); };
  if (std::adjacent_find(table.by_pts.begin(), table.by_pts.end(), equal) != table.by_pts.end())
    return;
  for (const std::int64_t i : table.by_pts) {
    if (packets[static_cast<std::size_t>(i)].is_shown) table.by_time.push_back(i);
  }
  table.must_decode_to_number = table.by_time.empty();
}

void copy_stream(FrameTable& table, const AVStream& stream) {
  table.time_base = stream.time_base;
  table.parameters.reset(allocated(avcodec_parameters_alloc()));
  if (avcodec_parameters_copy(table.parameters.get(), stream.codecpar) < 0) throw_out_of_memory();
  std::size_t bytes = 0;
  const std::uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (matrix != nullptr && bytes >= 9 * sizeof(std::int32_t)) {
    table.display_matrix.resize(9);
    std::memcpy(table.display_matrix.data(), matrix, 9 * sizeof(std::int32_t));
  }
}

void check_not_cut_short(ContainerInput& input, const AVStream& stream, const FrameTable& table) {
  const bool is_mov = input.format_name().starts_with("mov");
  const std::int64_t promised = is_mov ? avformat_index_get_entries_count(&stream) : 0;
  const auto found = static_cast<std::int64_t>(table.packets.size());
  if (found >= promised && !input.damaged_end()) return;
  throw InputError({input.where(),
                    promised > found
                        ? fmt::format("cut short: {} of {} frames are there", found, promised)
                        : fmt::format("damaged or cut short after {} frames", found),
                    "copy it again"});
}

}  // namespace

double sound_packet_seconds(const AVStream& stream, const AVPacket& packet) {
  if (packet.pts == AV_NOPTS_VALUE) return std::numeric_limits<double>::infinity();
  return std::max(0.0, static_cast<double>(packet.pts) * av_q2d(stream.time_base));
}

bool is_shown_picture(const AVStream& stream, const AVPacket& packet) {
  return (packet.flags & AV_PKT_FLAG_DISCARD) == 0 && !is_hidden(stream, packet);
}

bool is_readable_video(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0;
}

FrameTable walk_packets(ContainerInput& input, const MediaLimits& limits) {
  AVFormatContext& context = input.context();
  FrameTable table;
  table.is_still_image = input.format_name().ends_with("_pipe");
  table.stream = find_video(context);
  const bool streams_known = (context.ctx_flags & AVFMTCTX_NOHEADER) == 0;
  const InputError no_video({input.where(), "no video stream", "pass a file with a video track"});
  if (table.stream < 0 && streams_known) throw no_video;
  discard_all_but(context, table.stream, true);

  const PacketPtr packet = make_packet();
  double sound_start = std::numeric_limits<double>::infinity();
  bool with_sound = true;
  std::int64_t next_pts = 0;
  for (std::int64_t walked = 0; input.read(*packet); ++walked, av_packet_unref(packet.get())) {
    if (walked >= limits.max_packets) {
      throw InputError({input.where(), fmt::format("more than {} packets", limits.max_packets),
                        "cut the video into parts"});
    }
    const AVStream& stream = *context.streams[packet->stream_index];
    if (table.stream < 0 && is_readable_video(stream)) table.stream = packet->stream_index;
    if (packet->stream_index == table.stream) {
      table.packets.push_back(entry_of(stream, *packet, next_pts));
      next_pts += packet->duration;
      if (table.is_still_image) break;
    } else if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
      sound_start = std::min(sound_start, sound_packet_seconds(stream, *packet));
    }
    if (with_sound && table.stream >= 0 && walked >= kPacketsWithSound) {
      discard_all_but(context, table.stream, with_sound = false);
    }
  }
  av_packet_unref(packet.get());
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    table.has_audio |= context.streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  }
  if (table.stream < 0) throw no_video;
  const AVStream& stream = *context.streams[table.stream];
  if (!table.is_still_image) check_not_cut_short(input, stream, table);
  if (table.packets.empty())
    throw InputError({input.where(), "the video stream has no frames", "copy it again"});
  copy_stream(table, stream);

  if (table.is_still_image) {
    table.packets.front() = {0, 0, 0, true, true};
  }
  number_frames(table);
  std::int64_t first_pts = std::numeric_limits<std::int64_t>::max();
  for (const PacketEntry& entry : table.packets) {
    const std::int64_t pts = entry.pts != AV_NOPTS_VALUE ? entry.pts : entry.dts;
    if (pts != AV_NOPTS_VALUE && entry.is_shown) first_pts = std::min(first_pts, pts);
  }
  if (first_pts == std::numeric_limits<std::int64_t>::max()) first_pts = 0;
  table.start_seconds =
      std::min(static_cast<double>(first_pts) * av_q2d(table.time_base), sound_start);
  return table;
}

std::int64_t FrameTable::packet_at(std::int64_t pts) const {
  const auto pts_of = [&](std::int64_t i) { return packets[static_cast<std::size_t>(i)].pts; };
  const auto found = std::lower_bound(by_pts.begin(), by_pts.end(), pts,
                                      [&](auto i, auto value) { return pts_of(i) < value; });
  return found != by_pts.end() && pts_of(*found) == pts ? *found : -1;
}

std::int64_t FrameTable::key_before(std::int64_t position) const {
  const std::int64_t pts = packets[static_cast<std::size_t>(position)].pts;
  while (position > 0) {
    const PacketEntry& packet = packets[static_cast<std::size_t>(position)];
    if (packet.is_key && packet.pts <= pts) break;
    --position;
  }
  return position;
}

std::int64_t FrameTable::next_key_pts(std::int64_t position) const {
  for (std::size_t i = static_cast<std::size_t>(position) + 1; i < packets.size(); ++i) {
    if (packets[i].is_key) return packets[i].pts;
  }
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace tarsier::ffmpeg
