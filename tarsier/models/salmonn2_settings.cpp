#include "tarsier/models/salmonn2_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tarsier/media/log_mel.h"

namespace tarsier {
namespace {

constexpr const char* kKeys[] = {
    "add_time_token",       "audio_config",
    "audio_visual",         "max_time",
    "mm_newline_position",  "mm_pooling_position",
    "mm_spatial_pool_mode", "mm_spatial_pool_stride",
    "model_max_length",     "num_speech_query_token",
    "second_per_window",    "second_stride",
    "use_final_linear",     "video_fps",
    "whisper_directory",    "window_level_Qformer",
};

/// The settings file before config.json, and that only where it agrees with the recipe: its values
/// are often the base model's.
class Options {
 public:
  Options(const std::filesystem::path& directory, const JsonView& config) : config_(config) {
    const std::filesystem::path file = directory / kSalmonn2SettingsFile;
    if (!std::filesystem::exists(file)) return;
    file_ = read_json(file, JsonOwner::checkpoint);
    for (const std::string& key : file_->keys()) {
      if (std::ranges::find(kKeys, key) == std::end(kKeys))
        file_->at(key).fail("is not a setting of video-SALMONN 2", "check its spelling");
    }
  }

  /// What the settings file says; nothing where the recipe's value holds.
  std::optional<JsonView> find(const char* key, const nlohmann::json& recipe) const {
    if (file_ && file_->has(key)) return file_->at(key);
    if (config_.has(key) && config_.at(key).raw() != recipe) {
      config_.at(key).fail(
          fmt::format("is {}, but video-SALMONN 2 is run with {}", config_.at(key).raw().dump(),
                      recipe.dump()),
          fmt::format("if the checkpoint was trained with the latter, say so in {}",
                      kSalmonn2SettingsFile));
    }
    return std::nullopt;
  }
  /// A value of the settings file alone.
  std::optional<JsonView> find(const char* key) const {
    return file_ ? file_->find(key) : std::nullopt;
  }

  void require(const char* key, const nlohmann::json& recipe) const {
    const std::optional<JsonView> value = find(key, recipe);
    if (value && value->raw() != recipe) {
      value->fail(fmt::format("is {}, which is not supported", value->raw().dump()),
                  "video-SALMONN 2 has " + recipe.dump());
    }
  }
  bool flag(const char* key, bool recipe) const {
    const std::optional<JsonView> value = find(key, recipe);
    return value ? value->as_bool() : recipe;
  }
  double number(const char* key, double recipe, double low, double high) const {
    const std::optional<JsonView> value = find(key, recipe);
    if (!value) return recipe;
    const double given = value->as_double();
    if (given < low || given > high) {
      value->fail(fmt::format("is {:g}, expected {:g} to {:g}", given, low, high),
                  fmt::format("the released recipe has {:g}", recipe));
    }
    return given;
  }

 private:
  const JsonView& config_;
  std::optional<JsonView> file_;
};

}  // namespace

std::int64_t Salmonn2Settings::max_frames() const {
  return static_cast<std::int64_t>(std::nearbyint(max_seconds * fps));
}

Salmonn2Settings read_salmonn2_settings(const std::filesystem::path& directory,
                                        const JsonView& config) {
  const Options options(directory, config);
  options.require("mm_spatial_pool_mode", "max");
  options.require("mm_spatial_pool_stride", 2);
  options.require("mm_pooling_position", "after");
  options.require("mm_newline_position", "grid");
  options.require("window_level_Qformer", true);
  Salmonn2Settings settings;
  if (const auto hears = options.find("audio_visual")) settings.hears = hears->as_bool();
  settings.final_linear = options.flag("use_final_linear", settings.final_linear);
  settings.time_words = options.flag("add_time_token", settings.time_words);
  settings.fps = options.number("video_fps", settings.fps, 0.01, 1000);
  settings.max_seconds = options.number("max_time", settings.max_seconds, 1, 1e5);
  settings.max_tokens = config.int_or("tokenizer_model_max_length", settings.max_tokens);
  if (const auto tokens = options.find("model_max_length"))
    settings.max_tokens = tokens->as_int(1, 1 << 24);
  if (const auto whisper = options.find("whisper_directory"))
    settings.whisper = directory / whisper->as_string();
  WindowQFormerConfig qformer;
  qformer.width = 768;
  qformer.intermediate = 3072;
  qformer.queries =
      static_cast<std::int64_t>(options.number("num_speech_query_token", 1, 1, 1 << 12));
  qformer.second_per_window = options.number("second_per_window", 0.5, 0.02, 30);
  qformer.second_stride = options.number("second_stride", 0.5, 0.02, 30);
  const JsonView audio =
      options.find("audio_config")
          .value_or(parse_json("{}", kSalmonn2SettingsFile, JsonOwner::checkpoint));
  settings.whisper_config = whisper_config(audio);
  qformer.encoder_width = settings.whisper_config.width;
  settings.qformer = window_qformer_config(audio, qformer);
  const WhisperConfig& ear = settings.whisper_config;
  if (ear.mel_bins != kMelBins || ear.mel_frames() != kMelFrames) {
    audio.fail(fmt::format("asks for {} x {} numbers of 30 s of sound, which become {} x {}",
                           ear.mel_bins, ear.mel_frames(), kMelBins, kMelFrames),
               "check num_mel_bins and max_source_positions");
  }
  if (settings.qformer.encoder_width != ear.width) {
    audio.fail(fmt::format("qformer_config.encoder_width is {}, d_model {}",
                           settings.qformer.encoder_width, ear.width),
               "the Q-Former reads what the encoder gives");
  }
  return settings;
}

}  // namespace tarsier
