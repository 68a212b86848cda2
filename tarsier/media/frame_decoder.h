#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/media/container_input.h"
#include "tarsier/media/frame.h"
#include "tarsier/media/frame_table.h"

namespace tarsier::ffmpeg {

/// Decodes the frames of one stream exactly: the picture with a frame's own presentation time, or,
/// where the table could not number frames, the n-th picture that comes out. Used by one thread;
/// `input` and `table` outlive it.
class FrameDecoder {
 public:
  /// InputError: a codec that is not on the short list, or a picture over the pixel limit.
  FrameDecoder(ContainerInput& input, const FrameTable& table, const MediaLimits& limits);

  /// Decodes everything once; the presentation time of each picture, in the stream's ticks,
  /// ascending. For tables with must_decode_to_number.
  std::vector<std::int64_t> number_by_decoding();
  /// The picture of frame `index`, valid until the next call. InputError when it cannot be decoded
  /// whole.
  const AVFrame& frame(std::int64_t index);

 private:
  struct PixelGate {
    std::int64_t max_pixels = 0;
    Size refused;  // the size that was over the limit
  };
  void open_codec();
  void restart();
  void start_at_key(std::int64_t position);
  bool try_seek(std::int64_t position);
  bool decode_until(std::int64_t index);  // false when the frame did not come out whole
  bool next_picture();                    // false at the end
  bool receive_picture();
  bool send_next_packet();  // false when there is none
  void send(std::int64_t position);
  bool read_packet();  // of the video stream; false at the end
  void note_damage(std::int64_t position);
  bool is_at(std::int64_t index) const { return has_picture_ && reached_ == mark_of(index); }
  /// What orders pictures: the pts, or, where frames are numbered by decoding, the number.
  std::int64_t mark_of(std::int64_t index) const;
  [[noreturn]] void throw_undecodable(std::int64_t index) const;
  static int get_buffer(AVCodecContext* codec, AVFrame* frame, int flags);

  ContainerInput& input_;
  const FrameTable& table_;
  MediaLimits limits_;
  PixelGate gate_;
  CodecPtr codec_;
  FramePtr picture_;
  PacketPtr packet_;
  std::int64_t sent_ = 0;       // the position of the next packet for the decoder
  std::int64_t run_start_ = 0;  // the position where this run of packets began
  std::int64_t come_out_ = 0;   // pictures since the start of the file
  std::int64_t reached_ =
      0;  // the mark of the last picture that came out; beyond all of them at the end
  std::int64_t whole_from_ = 0;  // pictures with an earlier pts may lack something
  bool has_picture_ = false;     // picture_ holds the last one that came out
  bool picture_damaged_ = false;
  bool damaged_run_ = false;  // numbering by decoding: until the next key picture
  bool draining_ = false;
};

}  // namespace tarsier::ffmpeg
