#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/media/container_input.h"

namespace tarsier::ffmpeg {

/// One packet of the video stream, in decode order.
struct PacketEntry {
  std::int64_t pts = AV_NOPTS_VALUE;
  std::int64_t dts = AV_NOPTS_VALUE;
  std::int64_t duration = 0;
  bool is_key = false;
  bool is_shown = false;  // false: dropped by an edit list, or a hidden VP8 reference picture
};

/// The video stream as its packets tell it, without decoding.
struct FrameTable {
  int stream = -1;
  AVRational time_base{1, 1};
  ParametersPtr parameters;
  std::vector<std::int32_t> display_matrix;  // 9 values, or empty
  bool has_audio = false;
  bool is_still_image = false;
  double start_seconds = 0;           // of the container
  std::vector<PacketEntry> packets;   // [packets], decode order
  std::vector<std::int64_t> by_time;  // [frames]: the packet of each frame, in presentation order
  std::vector<std::int64_t> by_pts;   // [packets]: all packets in order of pts
  /// True when the packets do not tell the frames exactly (no times, equal times, pictures before
  /// the first key frame): frames are then numbered by decoding everything, and read without
  /// seeking.
  bool must_decode_to_number = false;

  double seconds_of(std::int64_t pts) const {
    return static_cast<double>(pts) * av_q2d(time_base) - start_seconds;
  }
  /// The packet with this pts, or -1.
  std::int64_t packet_at(std::int64_t pts) const;
  /// The last key packet from which the packet at `position` decodes whole: earlier or itself, in
  /// decode and in presentation order.
  std::int64_t key_before(std::int64_t position) const;
  /// The pts of the first key packet after `position`, or INT64_MAX.
  std::int64_t next_key_pts(std::int64_t position) const;
};

// What the clock of a container starts at, told from its first packets.
/// Sound is read only to learn that; this many packets are enough.
inline constexpr std::int64_t kPacketsWithSound = 256;
/// When a packet of sound begins, in seconds of the container; infinity when it has no time. Sound
/// before zero is an encoder's priming, which players skip.
double sound_packet_seconds(const AVStream& stream, const AVPacket& packet);
/// False for pictures dropped by an edit list, and for hidden VP8 reference pictures.
bool is_shown_picture(const AVStream& stream, const AVPacket& packet);
/// A video stream that is not cover art.
bool is_readable_video(const AVStream& stream);

/// Walks the whole video stream. InputError: no video stream, cut short, over a limit.
FrameTable walk_packets(ContainerInput& input, const MediaLimits& limits);

}  // namespace tarsier::ffmpeg
