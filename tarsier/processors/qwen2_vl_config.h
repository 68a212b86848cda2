#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

namespace tarsier {

/// How many pixels a resized picture may have.
struct PixelBudget {
  std::int64_t min_pixels = 0;
  std::int64_t max_pixels = 0;
  bool operator==(const PixelBudget&) const = default;
};

/// Tarsier2's own step before the image processor (models-tarsier.md 4.4, 4.5). The defaults are
/// upstream's tarser2_default_config.yaml; a checkpoint overrides them by the same keys at the top
/// of processor_config.json.
struct Tarsier2Pipeline {
  PixelBudget frame{0, 460'800};  // min_pixels, max_pixels: the first resize of every frame
  std::int64_t sample_pixels =
      128 * 384 * 384;               // shared by all frames of a sample, duplicates counted
  std::int64_t default_frames = 16;  // n_frames
  std::int64_t max_frames = 256;     // max_n_frames
  std::int64_t max_tokens = 16'384;  // max_seq_len; 0: no limit
  std::int64_t frames_per_image =
      1;                     // what an image counts for in sample_pixels: temporal_patch_size
  bool run_middles = false;  // video_sampling_strategy.video_sampler_version "v2"
};

/// How pictures become patches, as a checkpoint's processor files say. Upstream spellings stay in
/// the .cpp.
struct Qwen2VlVideoConfig {
  std::int64_t patch_size = 14;          // pixels, both ways
  std::int64_t temporal_patch_size = 2;  // frames
  std::int64_t merge_size = 2;           // patches, both ways, that become one token
  std::array<double, 3> mean{0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> deviation{0.26862954, 0.26130258, 0.27577711};
  PixelBudget image{56 * 56, 28 * 28 * 1280};
  PixelBudget video{128 * 28 * 28, 28 * 28 * 768};  // of one frame
  bool frame_markers = false;  // each frame's tokens are followed by its number; PromptBuilder
  Tarsier2Pipeline tarsier2;

  std::int64_t factor() const {
    return patch_size * merge_size;
  }  // both sides of a resized picture are multiples
  std::int64_t patch_values() const { return 3 * temporal_patch_size * patch_size * patch_size; }
};

/// Reads preprocessor_config.json, video_preprocessor_config.json and processor_config.json of a
/// model directory, each optional but one of the first and the last. As in transformers: the nested
/// "image_processor" / "video_processor" of processor_config.json wins, then the file of its own;
/// videos fall back to the image processor's settings. Limits may be written min_pixels /
/// max_pixels, size.{min_pixels,max_pixels} or size.{shortest_edge,longest_edge}. CheckpointError
/// names file and key, also for a step this family never does (no resize, other resampling).
Qwen2VlVideoConfig read_qwen2_vl_config(const std::filesystem::path& model_directory);

}  // namespace tarsier
