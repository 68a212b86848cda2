#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/models/video_language_model.h"

namespace CLI {
class App;
}

namespace tarsier {

/// What `plan --train` asks beside the clip: settings of a recipe, with its names and defaults.
struct TrainingFlags {
  std::string optimizer = "adamw";
  bool ema = false, recompute = false;
  std::int64_t clips = 1, accumulate = 1, workers = 1, logit_chunk = 2048;
  std::int64_t answer_tokens = 256;
};

/// --train and the flags that need it.
void add_training_flags(CLI::App& app, bool& train, TrainingFlags& flags);

/// Memory and arithmetic of one step on clips that look like `seen`, each behind a prompt of
/// `prompt_tokens`. `dtype` as --dtype, f32 when empty. ConfigError for f16, which is not trained
/// in.
nlohmann::ordered_json plan_training(const TrainingFlags& flags, const std::string& dtype,
                                     const VideoLanguageModel& model,
                                     const Qwen2VlVitConfig& vision, const SeenMedia& seen,
                                     std::int64_t prompt_tokens);
std::string training_plan_text(const nlohmann::ordered_json& plan);

/// "1.50 GiB", "2.0 MiB", "3.1 KiB".
std::string bytes_text(const nlohmann::ordered_json& bytes);

}  // namespace tarsier
