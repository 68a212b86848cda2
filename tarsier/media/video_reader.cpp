#include "tarsier/media/video_reader.h"

#include <fmt/format.h>

#include <cstring>

#include "tarsier/base/error.h"
#include "tarsier/media/container_input.h"
#include "tarsier/media/frame_decoder.h"
#include "tarsier/media/frame_table.h"
#include "tarsier/media/rgb_picture.h"

namespace tarsier {

using namespace ffmpeg;

struct VideoReader::Decoder {
  Decoder(const std::filesystem::path& file, const MediaLimits& wanted)
      : limits(wanted),
        input(file, wanted),
        table(walk_packets(input, wanted)),
        frames(input, table, wanted) {
    set_times();
    orientation = orientation_of(matrix_of(frames.frame(0)), input.where());
    const Size size = orientation.apply({frames.frame(0).height, frames.frame(0).width});
    info.height = size.height;
    info.width = size.width;
    info.frames = static_cast<std::int64_t>(seconds.size());
    info.has_audio = table.has_audio;
    info.is_still_image = table.is_still_image;
    info.container = input.format_name();
    info.codec = avcodec_get_name(table.parameters->codec_id);
    const AVDictionaryEntry* comment = av_dict_get(input.context().metadata, "comment", nullptr, 0);
    if (comment != nullptr) info.comment = comment->value;
  }

  void set_times() {
    std::vector<std::int64_t> ticks;
    if (table.must_decode_to_number) {
      ticks = frames.number_by_decoding();
    } else {
      for (const std::int64_t packet : table.by_time)
        ticks.push_back(table.packets[static_cast<std::size_t>(packet)].pts);
    }
    for (const std::int64_t tick : ticks) seconds.push_back(table.seconds_of(tick));
    std::int64_t last_duration = 0;
    if (!table.must_decode_to_number) {
      last_duration = table.packets[static_cast<std::size_t>(table.by_time.back())].duration;
    }
    double last_seconds = static_cast<double>(last_duration) * av_q2d(table.time_base);
    const std::int64_t span = ticks.back() - ticks.front();
    if (span > 0) {
      info.frames_per_second = static_cast<double>(ticks.size() - 1) * table.time_base.den /
                               (static_cast<double>(span) * table.time_base.num);
    } else if (last_seconds > 0) {
      info.frames_per_second = 1 / last_seconds;
    }
    if (last_seconds <= 0 && info.frames_per_second > 0) last_seconds = 1 / info.frames_per_second;
    info.seconds = seconds.back() + last_seconds;
    if (!(info.seconds <= limits.max_seconds)) {
      throw InputError({input.where(),
                        fmt::format("lasts {:.0f} seconds, over the limit of {:.0f}", info.seconds,
                                    limits.max_seconds),
                        "cut the video into parts"});
    }
  }

  // A picture's own matrix (JPEG's EXIF) goes before the stream's.
  std::vector<std::int32_t> matrix_of(const AVFrame& frame) const {
    const AVFrameSideData* data = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (data == nullptr || data->size < 9 * sizeof(std::int32_t)) return table.display_matrix;
    std::vector<std::int32_t> matrix(9);
    std::memcpy(matrix.data(), data->data, 9 * sizeof(std::int32_t));
    return matrix;
  }

  std::vector<std::uint8_t> rgb_of(std::int64_t index) {
    const AVFrame& frame = frames.frame(index);
    if (orientation.apply({frame.height, frame.width}) != Size{info.height, info.width}) {
      throw InputError({input.where(), fmt::format("the picture size changes at frame {}", index),
                        "encode the video again"});
    }
    return converter.convert(frame, orientation, input.where());
  }

  void check_request(std::span<const std::int64_t> indices) const {
    const auto count = static_cast<std::int64_t>(indices.size());
    std::int64_t last = 0;
    for (const std::int64_t index : indices) {
      check(index >= last, "frame indices ascend from 0");
      last = index;
    }
    if (count > 0 && last >= info.frames) {
      throw InputError({input.where(), fmt::format("frame {} is past the end", last),
                        fmt::format("it has frames 0 to {}", info.frames - 1)});
    }
    if (count > limits.max_frames_per_request ||
        count * info.height * info.width > limits.max_pixels_per_request) {
      throw InputError(
          {input.where(),
           fmt::format("{} frames of {} x {} pixels are more than one request may have", count,
                       info.width, info.height),
           "ask for fewer frames"});
    }
  }

  MediaLimits limits;
  ContainerInput input;
  FrameTable table;
  FrameDecoder frames;
  RgbConverter converter;
  Orientation orientation;
  std::vector<double> seconds;
  VideoInfo info;
};

VideoReader::VideoReader(const std::filesystem::path& file, const MediaLimits& limits)
    : decoder_(std::make_unique<Decoder>(file, limits)) {}
VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;

const VideoInfo& VideoReader::info() const noexcept { return decoder_->info; }
const std::vector<double>& VideoReader::frame_seconds() const noexcept { return decoder_->seconds; }

std::vector<Frame> VideoReader::read(std::span<const std::int64_t> ascending_indices) {
  Decoder& decoder = *decoder_;
  decoder.check_request(ascending_indices);
  decoder.input.start_clock(decoder.limits.wall_clock_seconds +
                            decoder.limits.wall_clock_seconds_per_media_minute *
                                decoder.info.seconds / 60);
  std::vector<Frame> frames;
  frames.reserve(ascending_indices.size());
  for (const std::int64_t index : ascending_indices) {
    if (!frames.empty() && frames.back().index == index) {
      frames.push_back(Frame(frames.back()));
      continue;
    }
    frames.push_back({index, decoder.seconds[static_cast<std::size_t>(index)], decoder.info.height,
                      decoder.info.width, decoder.rgb_of(index)});
  }
  return frames;
}

}  // namespace tarsier
