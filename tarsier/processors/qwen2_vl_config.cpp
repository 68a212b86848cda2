#include "tarsier/processors/qwen2_vl_config.h"

#include <cmath>
#include <optional>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 40;
constexpr std::int64_t kBicubic = 3;  // PIL.Image.Resampling

std::optional<JsonView> read_if_there(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  return read_json(file, JsonOwner::checkpoint);
}

std::optional<std::int64_t> pixels_of(const JsonView& json, std::string_view name,
                                      std::string_view edge) {
  if (const auto value = json.find(name)) return value->as_int(0, kMaxPixels);
  if (const auto size = json.find("size"); size && size->is_object()) {
    if (const auto value = size->find(name)) return value->as_int(0, kMaxPixels);
    if (const auto value = size->find(edge)) return value->as_int(0, kMaxPixels);
  }
  return std::nullopt;
}

PixelBudget read_budget(const JsonView& json, PixelBudget otherwise) {
  const PixelBudget budget{
      pixels_of(json, "min_pixels", "shortest_edge").value_or(otherwise.min_pixels),
      pixels_of(json, "max_pixels", "longest_edge").value_or(otherwise.max_pixels)};
  if (budget.max_pixels < 1 || budget.min_pixels > budget.max_pixels) {
    json.fail("min_pixels " + std::to_string(budget.min_pixels) + " and max_pixels " +
                  std::to_string(budget.max_pixels) + " leave no size",
              "both limits are pixel counts, the smaller first");
  }
  return budget;
}

std::int64_t positive(const JsonView& json, std::string_view key, std::int64_t otherwise) {
  const auto value = json.find(key);
  return value ? value->as_int(1, 1 << 20) : otherwise;
}

void read_channels(const JsonView& json, std::string_view key, std::array<double, 3>& values) {
  const auto list = json.find(key);
  if (!list) return;
  if (!list->is_array() || list->size() != 3)
    list->fail("is not a list of 3 numbers", "one number per colour");
  for (std::size_t channel = 0; channel < 3; ++channel) {
    values[channel] = list->at(static_cast<std::int64_t>(channel)).as_double();
  }
}

void require(const JsonView& json, std::string_view key, bool as_expected) {
  if (!as_expected)
    json.at(key).fail("is a setting no Qwen2-VL or Tarsier2 checkpoint uses",
                      "use the released value");
}

void read_steps(const JsonView& json, Qwen2VlVideoConfig& config) {
  config.patch_size = positive(json, "patch_size", config.patch_size);
  config.temporal_patch_size = positive(json, "temporal_patch_size", config.temporal_patch_size);
  config.merge_size = positive(json, "merge_size", config.merge_size);
  read_channels(json, "image_mean", config.mean);
  read_channels(json, "image_std", config.deviation);
  for (const double deviation : config.deviation) {
    if (deviation <= 0)
      json.at("image_std").fail("holds a number that is not positive", "pixels are divided by it");
  }
  require(json, "do_resize", json.bool_or("do_resize", true));
  require(json, "do_rescale", json.bool_or("do_rescale", true));
  require(json, "do_normalize", json.bool_or("do_normalize", true));
  require(json, "resample", json.int_or("resample", kBicubic) == kBicubic);
  require(json, "rescale_factor",
          std::abs(json.double_or("rescale_factor", 1.0 / 255) * 255 - 1) < 1e-6);
}

void read_tarsier2(const JsonView& json, Tarsier2Pipeline& pipeline) {
  pipeline.frame = read_budget(json, pipeline.frame);
  pipeline.default_frames = positive(json, "n_frames", pipeline.default_frames);
  pipeline.max_frames = positive(json, "max_n_frames", pipeline.max_frames);
  pipeline.max_tokens = positive(json, "max_seq_len", pipeline.max_tokens);
  pipeline.frames_per_image = positive(json, "temporal_patch_size", pipeline.frames_per_image);
  if (pipeline.default_frames > pipeline.max_frames) {
    json.at("n_frames").fail("is more than max_n_frames", "lower one or raise the other");
  }
  if (const auto strategy = json.find("video_sampling_strategy")) {
    const std::string version = strategy->string_or("video_sampler_version", "v1");
    if (version != "v1" && version != "v2") {
      strategy->at("video_sampler_version").fail("is \"" + version + "\"", "use \"v1\" or \"v2\"");
    }
    pipeline.run_middles = version == "v2";
    if (!strategy->bool_or("use_multi_images_for_video", true)) {
      strategy->at("use_multi_images_for_video")
          .fail("is false", "Tarsier2 writes every frame of a video twice");
    }
    if (strategy->int_or("force_frames_n_divisible", 1) != 1) {
      strategy->at("force_frames_n_divisible")
          .fail("is not 1", "frames are never filled up with black ones");
    }
  }
}

}  // namespace

Qwen2VlVideoConfig read_qwen2_vl_config(const std::filesystem::path& model_directory) {
  const auto image_file = read_if_there(model_directory / "preprocessor_config.json");
  const auto video_file = read_if_there(model_directory / "video_preprocessor_config.json");
  const auto processor = read_if_there(model_directory / "processor_config.json");
  const auto nested_image = processor ? processor->find("image_processor") : std::nullopt;
  const auto nested_video = processor ? processor->find("video_processor") : std::nullopt;
  const auto image = nested_image ? nested_image : image_file;
  const auto video = nested_video ? nested_video : (video_file ? video_file : image);
  if (!image) {
    throw CheckpointError({"preprocessor_config.json",
                           "is missing from " + model_directory.string(),
                           "the model directory needs it to know its patch and picture sizes"});
  }
  Qwen2VlVideoConfig config;
  read_steps(*image, config);
  config.image = read_budget(*image, config.image);
  if (video->file() != image->file() || video->path() != image->path()) {
    Qwen2VlVideoConfig steps = config;
    read_steps(*video, steps);
    if (steps.patch_size != config.patch_size ||
        steps.temporal_patch_size != config.temporal_patch_size ||
        steps.merge_size != config.merge_size || steps.mean != config.mean ||
        steps.deviation != config.deviation) {
      video->fail("cuts or normalises pictures otherwise than the image processor",
                  "both feed one vision tower");
    }
  }
  config.video = read_budget(*video, config.video);
  if (processor) {
    read_tarsier2(*processor, config.tarsier2);
    config.frame_markers = processor->bool_or("frame_markers", false);
  }
  return config;
}

}  // namespace tarsier
