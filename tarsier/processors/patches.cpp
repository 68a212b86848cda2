#include "tarsier/processors/patches.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tarsier/base/error.h"
#include "tarsier/media/resize.h"

namespace tarsier {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Where the patches of one temporal slice go, and how one row of them is laid out.
struct SliceLayout {
  PatchGrid grid;
  std::int64_t patch;     // pixels a side
  std::int64_t temporal;  // frames a slice
  std::int64_t merge;
  std::int64_t frame_values() const { return patch * patch; }  // of one colour and frame in a row
  std::int64_t row_values() const { return 3 * temporal * frame_values(); }
  std::int64_t slice_values() const { return grid.height * grid.width * row_values(); }
};

/// Writes one frame [3 colours, patch, patch] a row at `out`, rows in block order, into its place
/// `dt` in the slice.
void write_frame(const std::uint8_t* rgb, const SliceLayout& layout, std::int64_t dt,
                 const NormalisedValues& values, float* out) {
  const std::int64_t patch = layout.patch;
  const std::int64_t line = layout.grid.width * patch * 3;
  out += dt * layout.frame_values();
  for (std::int64_t block_row = 0; block_row < layout.grid.height; block_row += layout.merge) {
    for (std::int64_t block_column = 0; block_column < layout.grid.width;
         block_column += layout.merge) {
      for (std::int64_t inner = 0; inner < layout.merge * layout.merge; ++inner) {
        const std::int64_t row = block_row + inner / layout.merge;
        const std::int64_t column = block_column + inner % layout.merge;
        const std::uint8_t* corner = rgb + row * patch * line + column * patch * 3;
        for (std::size_t colour = 0; colour < 3; ++colour) {
          const std::array<float, 256>& table = values[colour];
          float* to =
              out + static_cast<std::int64_t>(colour) * layout.temporal * layout.frame_values();
          for (std::int64_t y = 0; y < patch; ++y, to += patch) {
            const std::uint8_t* from = corner + y * line + colour;
            for (std::int64_t x = 0; x < patch; ++x) to[x] = table[from[3 * x]];
          }
        }
        out += layout.row_values();
      }
    }
  }
}

/// Copies the frame at place `from` of a slice to place `to`.
void repeat_frame(const SliceLayout& layout, std::int64_t from, std::int64_t to, float* slice) {
  const std::int64_t colours = layout.grid.height * layout.grid.width * 3;
  for (std::int64_t colour = 0; colour < colours;
       ++colour, slice += layout.temporal * layout.frame_values()) {
    std::memcpy(slice + to * layout.frame_values(), slice + from * layout.frame_values(),
                index(layout.frame_values()) * sizeof(float));
  }
}

/// The frame's bytes after all steps: its own where no step changes the size, else in `buffer`.
const std::uint8_t* resized(const Frame& frame, const ResizeSteps& steps,
                            std::vector<std::uint8_t>& buffer) {
  Size size{frame.height, frame.width};
  const std::vector<std::uint8_t>* bytes = &frame.rgb;
  for (const Size& next : steps) {
    if (next == size) continue;
    buffer = resize_bicubic(*bytes, size, next);
    bytes = &buffer;
    size = next;
  }
  return bytes->data();
}

void check_frames(std::span<const Frame> frames) {
  check(!frames.empty(), "a video has a frame");
  for (const Frame& frame : frames) {
    check(frame.height == frames[0].height && frame.width == frames[0].width,
          "frames of one video share one size");
    check(frame.rgb.size() == index(frame.height * frame.width * 3),
          "a frame holds height x width x 3 bytes");
  }
}

}  // namespace

NormalisedValues normalised_values(const std::array<double, 3>& mean,
                                   const std::array<double, 3>& deviation) {
  NormalisedValues values;
  for (std::size_t colour = 0; colour < 3; ++colour) {
    const auto centre = static_cast<float>(mean[colour]);
    const auto scale = static_cast<float>(deviation[colour]);
    for (std::size_t value = 0; value < 256; ++value) {
      values[colour][value] =
          (static_cast<float>(static_cast<double>(value) / 255) - centre) / scale;
    }
  }
  return values;
}

PatchedMedia patch_frames(std::span<const Frame> frames, const ResizeSteps& steps,
                          std::int64_t repeats, const Qwen2VlVideoConfig& config) {
  check_frames(frames);
  check(!steps.empty() && repeats > 0, "frames are resized to a multiple of the patch and shown");
  const Size size = steps.back();
  check(size.height % config.factor() == 0 && size.width % config.factor() == 0,
        "patches tile the resized frame");
  const std::int64_t shown = static_cast<std::int64_t>(frames.size()) * repeats;
  const std::int64_t temporal = config.temporal_patch_size;
  const PatchGrid grid{(shown + temporal - 1) / temporal, size.height / config.patch_size,
                       size.width / config.patch_size};
  const SliceLayout layout{grid, config.patch_size, temporal, config.merge_size};
  const NormalisedValues values = normalised_values(config.mean, config.deviation);
  PatchedMedia media{at::empty({grid.patches(), config.patch_values()}, at::kFloat), grid, size};
  auto* pixels = media.pixels.data_ptr<float>();
  at::parallel_for(0, grid.time, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::uint8_t> buffer;
    for (std::int64_t slice = begin; slice < end; ++slice) {
      float* out = pixels + slice * layout.slice_values();
      std::int64_t previous = -1;
      for (std::int64_t dt = 0; dt < temporal; ++dt) {
        const std::int64_t frame = std::min(slice * temporal + dt, shown - 1) / repeats;
        if (frame == previous) {
          repeat_frame(layout, dt - 1, dt, out);
        } else {
          write_frame(resized(frames[index(frame)], steps, buffer), layout, dt, values, out);
        }
        previous = frame;
      }
    }
  });
  return media;
}

}  // namespace tarsier
