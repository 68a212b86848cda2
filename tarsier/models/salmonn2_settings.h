#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tarsier/base/json.h"
#include "tarsier/models/towers/whisper_encoder.h"
#include "tarsier/models/towers/window_qformer.h"

namespace tarsier {

inline constexpr const char* kSalmonn2SettingsFile = "salmonn2_config.json";

/// How video-SALMONN 2 is run. Upstream takes this from the command line, not from the checkpoint;
/// the values here are the released recipe's (models-video-salmonn-2.md 1.3).
struct Salmonn2Settings {
  std::optional<bool> hears;        // audio_visual; unset: as the checkpoint has weights for sound
  bool final_linear = true;         // use_final_linear
  bool time_words = true;           // add_time_token: behind the frames of silent videos
  double fps = 1;                   // video_fps
  double max_seconds = 110;         // max_time: of frames at `fps`, and of sound alone
  std::int64_t max_tokens = 32768;  // model_max_length, else config.json's
  std::filesystem::path whisper;    // whisper_directory, from the model's; empty: none
  WhisperConfig whisper_config;     // audio_config, as in video-SALMONN 2+'s config.json
  WindowQFormerConfig qformer;      // second_per_window, second_stride, num_speech_query_token and
                                    // audio_config.qformer_config

  std::int64_t max_frames() const;
};

/// Reads DIRECTORY/salmonn2_config.json, where it is. Every key is optional: the upstream options
/// named above and mm_spatial_pool_mode "max", mm_spatial_pool_stride 2, mm_pooling_position
/// "after", mm_newline_position "grid", window_level_Qformer true, which have no other value here.
/// CheckpointError names file and key for an unknown key, a value that is not supported, and a key
/// of `config` (config.json) that contradicts the recipe while the settings file does not name it.
Salmonn2Settings read_salmonn2_settings(const std::filesystem::path& directory,
                                        const JsonView& config);

}  // namespace tarsier
