#include "tarsier/processors/square_frames.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/media/resize.h"
#include "tarsier/processors/patches.h"

namespace tarsier {
namespace {

constexpr std::int64_t kBicubic = 3;  // PIL.Image.Resampling.BICUBIC
constexpr std::int64_t kLargestSide = 4096;

void require(const JsonView& json, const char* key, bool holds, const char* expected) {
  if (!holds) json.at(key).fail("is a step this family does not have", expected);
}

/// {"height": n, "width": n}, {"shortest_edge": n} or n.
std::int64_t read_side(const JsonView& value) {
  if (value.is_integer()) return value.as_int(1, kLargestSide);
  if (value.has("shortest_edge")) return value.at("shortest_edge").as_int(1, kLargestSide);
  const std::int64_t height = value.at("height").as_int(1, kLargestSide);
  const std::int64_t width = value.at("width").as_int(1, kLargestSide);
  if (height != width)
    value.fail(fmt::format("is {}x{}, not a square", width, height), "frames become squares");
  return height;
}

void read_channels(const JsonView& json, const char* key, std::array<double, 3>& values) {
  const auto list = json.find(key);
  if (!list) return;
  if (list->size() != 3) list->fail("does not have three numbers", "one for each colour");
  for (std::int64_t i = 0; i < 3; ++i)
    values[static_cast<std::size_t>(i)] = list->at(i).as_double();
}

std::vector<std::uint8_t> squared(const Frame& frame, const SquareImageConfig& config) {
  Size size{frame.height, frame.width};
  std::vector<std::uint8_t> bytes;
  const std::vector<std::uint8_t>* from = &frame.rgb;
  if (config.by_longer_side) {
    const std::int64_t longer = std::max(size.height, size.width);
    bytes = resize_bicubic(*from, size, {longer, longer});
    from = &bytes;
    size = {longer, longer};
  }
  return resize_bicubic(*from, size, {config.side, config.side});
}

SeenMedia seen_square(const Pictures& pictures, std::int64_t side, std::int64_t grid_side,
                      std::int64_t tokens_per_frame) {
  const Frame& first = pictures.frames.front();
  const auto frames = static_cast<std::int64_t>(pictures.frames.size());
  const PatchGrid grid{frames, grid_side, grid_side};
  const std::int64_t tokens = frames * tokens_per_frame;
  MediaBlock block{pictures.modality, {{pictures.modality, tokens, grid, 0, {}}}};
  return {pictures.modality, frames, {first.height, first.width}, {side, side}, grid, tokens,
          std::move(block)};
}

}  // namespace

SquareImageConfig read_clip_image_config(const std::filesystem::path& model_directory) {
  const std::filesystem::path file = model_directory / "preprocessor_config.json";
  if (!std::filesystem::exists(file)) {
    throw CheckpointError({"preprocessor_config.json",
                           "is missing from " + model_directory.string(),
                           "the model directory needs it to know its picture size"});
  }
  const JsonView json = read_json(file, JsonOwner::checkpoint);
  SquareImageConfig config;
  for (const char* step : {"do_resize", "do_rescale", "do_normalize"})
    require(json, step, json.bool_or(step, true), "Tarsier resizes, rescales and normalises");
  require(json, "resample", json.int_or("resample", kBicubic) == kBicubic, "expected 3, bicubic");
  require(json, "rescale_factor",
          std::abs(json.double_or("rescale_factor", 1.0 / 255) * 255 - 1) < 1e-6,
          "expected 1 / 255");
  if (const auto size = json.find("size")) config.side = read_side(*size);
  if (const auto crop = json.find("crop_size"); crop && json.bool_or("do_center_crop", true)) {
    if (read_side(*crop) != config.side)
      crop->fail("is not the size of the resized picture", "a square has nothing to crop");
  }
  read_channels(json, "image_mean", config.mean);
  read_channels(json, "image_std", config.deviation);
  for (const double deviation : config.deviation) {
    if (deviation <= 0)
      json.at("image_std").fail("holds a number that is not positive", "pixels are divided by it");
  }
  return config;
}

Tensor square_frames(std::span<const Frame> frames, const SquareImageConfig& config) {
  const std::int64_t area = config.side * config.side;
  const NormalisedValues values = normalised_values(config.mean, config.deviation);
  Tensor pixels = at::empty({static_cast<std::int64_t>(frames.size()), 3, config.side, config.side},
                            at::kFloat);
  auto* all = pixels.data_ptr<float>();
  at::parallel_for(0, static_cast<std::int64_t>(frames.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i) {
                       const std::vector<std::uint8_t> rgb =
                           squared(frames[static_cast<std::size_t>(i)], config);
                       float* out = all + i * 3 * area;
                       for (std::size_t colour = 0; colour < 3; ++colour, out += area) {
                         const std::uint8_t* from = rgb.data() + colour;
                         for (std::int64_t p = 0; p < area; ++p)
                           out[p] = values[colour][from[3 * p]];
                       }
                     }
                   });
  return pixels;
}

std::vector<SeenMedia> plan_square_media(const Conversation& conversation, std::int64_t side,
                                         std::int64_t grid_side, std::int64_t tokens_per_frame) {
  std::vector<SeenMedia> plan;
  for (const Pictures* pictures : pictures_of(conversation))
    plan.push_back(seen_square(*pictures, side, grid_side, tokens_per_frame));
  return plan;
}

PreparedMedia prepare_square_media(const Conversation& conversation,
                                   const SquareImageConfig& config, std::int64_t grid_side,
                                   std::int64_t tokens_per_frame) {
  PreparedMedia prepared;
  prepared.seen = plan_square_media(conversation, config.side, grid_side, tokens_per_frame);
  if (prepared.seen.empty()) return prepared;
  std::vector<Tensor> pixels;
  for (const Pictures* pictures : pictures_of(conversation))
    pixels.push_back(square_frames(pictures->frames, config));
  std::vector<PatchGrid> grids;
  for (const SeenMedia& seen : prepared.seen) grids.push_back(seen.grid);
  prepared.inputs.pixels = at::cat(pixels);
  prepared.inputs.grid = grid_rows(grids);
  return prepared;
}

}  // namespace tarsier
