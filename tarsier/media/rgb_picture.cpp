#include "tarsier/media/rgb_picture.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tarsier/base/error.h"
#include "tarsier/media/yuv_to_rgb.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace tarsier::ffmpeg {
namespace {

/// The YUVJ formats are the YUV ones with the range in the name.
AVPixelFormat without_range(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    default:
      return format;
  }
}

int matrix_of(AVColorSpace space) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return SWS_CS_ITU601;
  }
}

/// The weights of ITU-T H.273, table 4, for the same matrices.
YuvColour colour_of(int matrix, bool full_range) {
  switch (matrix) {
    case SWS_CS_ITU709:
      return {0.2126, 0.0722, full_range};
    case SWS_CS_FCC:
      return {0.30, 0.11, full_range};
    case SWS_CS_SMPTE240M:
      return {0.212, 0.087, full_range};
    case SWS_CS_BT2020:
      return {0.2627, 0.0593, full_range};
    default:
      return {0.299, 0.114, full_range};
  }
}

bool is_plain_yuv(AVPixelFormat format) {
  return format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUV422P ||
         format == AV_PIX_FMT_YUV444P;
}

/// RGB and grey pictures need no arithmetic: components are copied, more than 8 bits cut to the top
/// 8, alpha dropped.
bool copies_exactly(const AVPixFmtDescriptor& format) {
  const bool rgb = (format.flags & AV_PIX_FMT_FLAG_RGB) != 0;
  return (rgb || format.nb_components < 3) &&
         (format.flags & (AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER)) == 0 &&
         (format.flags & AV_PIX_FMT_FLAG_HWACCEL) == 0;
}

void copy_palette(const AVFrame& frame, std::vector<std::uint8_t>& rgb) {
  std::uint8_t* out = rgb.data();
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* row = frame.data[0] + static_cast<std::ptrdiff_t>(y) * frame.linesize[0];
    for (int x = 0; x < frame.width; ++x) {
      std::uint32_t colour = 0;  // 0xAARRGGBB
      std::memcpy(&colour, frame.data[1] + 4 * row[x], 4);
      *out++ = static_cast<std::uint8_t>(colour >> 16);
      *out++ = static_cast<std::uint8_t>(colour >> 8);
      *out++ = static_cast<std::uint8_t>(colour);
    }
  }
}

void copy_components(const AVFrame& frame, const AVPixFmtDescriptor& format,
                     std::vector<std::uint8_t>& rgb) {
  const std::uint8_t* planes[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
  std::vector<std::uint16_t> line(static_cast<std::size_t>(frame.width));
  for (int y = 0; y < frame.height; ++y) {
    for (int channel = 0; channel < 3; ++channel) {
      const int component = format.nb_components < 3 ? 0 : channel;  // grey is all three
      const int depth = format.comp[component].depth;
      av_read_image_line2(line.data(), planes, frame.linesize, &format, 0, y, component,
                          frame.width, 0, 2);
      std::uint8_t* out = rgb.data() + static_cast<std::ptrdiff_t>(y) * frame.width * 3 + channel;
      for (const std::uint16_t value : line) {
        const int byte = depth >= 8 ? value >> (depth - 8) : value * 255 / ((1 << depth) - 1);
        *out = static_cast<std::uint8_t>(byte);
        out += 3;
      }
    }
  }
}

std::vector<std::uint8_t> turn(const std::vector<std::uint8_t>& rgb, Size size,
                               const Orientation& orientation) {
  const Size out_size = orientation.apply(size);
  std::vector<std::uint8_t> out(rgb.size());
  std::uint8_t* pixel = out.data();
  for (std::int64_t y = 0; y < out_size.height; ++y) {
    for (std::int64_t x = 0; x < out_size.width; ++x, pixel += 3) {
      std::int64_t u = orientation.transposed ? y : x;
      std::int64_t v = orientation.transposed ? x : y;
      if (orientation.flip_u) u = size.width - 1 - u;
      if (orientation.flip_v) v = size.height - 1 - v;
      std::memcpy(pixel, rgb.data() + (v * size.width + u) * 3, 3);
    }
  }
  return out;
}

}  // namespace

Orientation orientation_of(std::span<const std::int32_t> matrix, const std::string& where) {
  if (matrix.size() < 9) return {};
  // Shown x = a u + c v, shown y = b u + d v (16.16 fixed point; a translation follows, which the
  // size implies).
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  const double straight = std::abs(a) + std::abs(d);
  const double crossed = std::abs(b) + std::abs(c);
  if (straight == 0 && crossed == 0) return {};
  constexpr double kTolerance = 0.02;  // about one degree
  Orientation result;
  if (crossed <= kTolerance * straight && a != 0 && d != 0) {
    result = {false, a < 0, d < 0};
  } else if (straight <= kTolerance * crossed && b != 0 && c != 0) {
    result = {true, b < 0, c < 0};
  } else {
    throw InputError(
        {where, "is turned by an angle that is not a quarter turn", "encode it upright"});
  }
  return result;
}

std::vector<std::uint8_t> RgbConverter::convert(const AVFrame& frame,
                                                const Orientation& orientation,
                                                const std::string& where) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(frame.width) *
                                static_cast<std::size_t>(frame.height) * 3);
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (format == nullptr)
    throw InputError({where, "has an unknown pixel format", "encode it again"});
  const bool limited_grey = format->nb_components < 3 && frame.color_range == AVCOL_RANGE_MPEG;
  if ((format->flags & AV_PIX_FMT_FLAG_PAL) != 0) {
    copy_palette(frame, rgb);
  } else if (copies_exactly(*format) && !limited_grey) {
    copy_components(frame, *format, rgb);
  } else {
    convert_yuv(frame, rgb, where);
  }
  if (!orientation.transposed && !orientation.flip_u && !orientation.flip_v) return rgb;
  return turn(rgb, {frame.height, frame.width}, orientation);
}

void RgbConverter::convert_yuv(const AVFrame& frame, std::vector<std::uint8_t>& rgb,
                               const std::string& where) {
  const auto stored = static_cast<AVPixelFormat>(frame.format);
  const AVPixelFormat format = without_range(stored);
  const bool full_range = format != stored || frame.color_range == AVCOL_RANGE_JPEG;
  const int matrix = matrix_of(frame.colorspace);
  if (is_plain_yuv(format)) {
    const YuvPlanes planes{frame.data[0],
                           frame.data[1],
                           frame.data[2],
                           frame.linesize[0],
                           frame.linesize[1],
                           frame.linesize[2],
                           format == AV_PIX_FMT_YUV444P ? 0 : 1,
                           format == AV_PIX_FMT_YUV420P ? 1 : 0};
    yuv_to_rgb(planes, {frame.height, frame.width}, colour_of(matrix, full_range), rgb.data());
    return;
  }
  const std::vector<int> key = {frame.width, frame.height, format, full_range, matrix};
  if (key != scaler_key_) {
    // The rarer formats (more bits, packed samples) in the same way: POINT repeats chroma, and the
    // accurate, bit-exact C paths give the same bytes on every machine and are right for odd sizes.
    scaler_.reset(sws_getContext(frame.width, frame.height, format, frame.width, frame.height,
                                 AV_PIX_FMT_RGB24,
                                 SWS_POINT | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND | SWS_BITEXACT,
                                 nullptr, nullptr, nullptr));
    if (scaler_ == nullptr) {
      throw InputError(
          {where, "has a pixel format that cannot be converted", "encode it as yuv420p"});
    }
    sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(matrix), full_range ? 1 : 0,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    scaler_key_ = key;
  }
  std::uint8_t* planes[] = {rgb.data()};
  const int strides[] = {frame.width * 3};
  sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides);
}

}  // namespace tarsier::ffmpeg
