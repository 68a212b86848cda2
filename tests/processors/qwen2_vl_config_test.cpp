#include "tarsier/processors/qwen2_vl_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_directory.h"
#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

Qwen2VlVideoConfig read(std::string_view image, std::string_view processor = {},
                        std::string_view video = {}) {
  const ModelDirectory directory;
  if (!image.empty()) directory.write("preprocessor_config.json", image);
  if (!processor.empty()) directory.write("processor_config.json", processor);
  if (!video.empty()) directory.write("video_preprocessor_config.json", video);
  return read_qwen2_vl_config(directory.path());
}

TEST(Qwen2VlConfig, ReadsLimitsInThreeSpellings) {
  const PixelBudget budget{3136, 12845056};
  EXPECT_EQ(read(R"({"min_pixels": 3136, "max_pixels": 12845056})").image, budget);
  EXPECT_EQ(read(R"({"size": {"min_pixels": 3136, "max_pixels": 12845056}})").image, budget);
  EXPECT_EQ(read(R"({"size": {"shortest_edge": 3136, "longest_edge": 12845056}})").image, budget);
}

TEST(Qwen2VlConfig, TopLevelLimitsWin) {
  const auto config = read(
      R"({"min_pixels": 100, "max_pixels": 200, "size": {"shortest_edge": 1, "longest_edge": 2}})");
  EXPECT_EQ(config.image, (PixelBudget{100, 200}));
}

TEST(Qwen2VlConfig, HasTheFamilyDefaults) {
  const auto config = read("{}");
  EXPECT_EQ(config.patch_size, 14);
  EXPECT_EQ(config.temporal_patch_size, 2);
  EXPECT_EQ(config.merge_size, 2);
  EXPECT_EQ(config.patch_values(), 1176);
  EXPECT_EQ(config.factor(), 28);
  EXPECT_EQ(config.image, (PixelBudget{3136, 1003520}));
  EXPECT_EQ(config.video, (PixelBudget{100352, 602112}));
  EXPECT_FALSE(config.frame_markers);
  EXPECT_EQ(config.tarsier2.frame, (PixelBudget{0, 460800}));
  EXPECT_EQ(config.tarsier2.default_frames, 16);
  EXPECT_EQ(config.tarsier2.max_frames, 256);
  EXPECT_EQ(config.tarsier2.max_tokens, 16384);
  EXPECT_EQ(config.tarsier2.frames_per_image, 1);
}

TEST(Qwen2VlConfig, VideosFallBackToTheImageProcessor) {
  const char* image = R"({"min_pixels": 3136, "max_pixels": 12845056})";
  EXPECT_EQ(read(image).video, (PixelBudget{3136, 12845056}));
  EXPECT_EQ(read(image, {}, R"({"size": {"shortest_edge": 10, "longest_edge": 20}})").video,
            (PixelBudget{10, 20}));
  EXPECT_EQ(read(image, {}, R"({})").video, (PixelBudget{100352, 602112}));
}

TEST(Qwen2VlConfig, NestedSettingsWin) {
  const auto config = read(R"({"patch_size": 7, "max_pixels": 5000})",
                           R"({"image_processor": {"patch_size": 4, "max_pixels": 9000},
                               "video_processor": {"patch_size": 4, "min_pixels": 1, "max_pixels": 7000}})");
  EXPECT_EQ(config.patch_size, 4);
  EXPECT_EQ(config.image.max_pixels, 9000);
  EXPECT_EQ(config.video, (PixelBudget{1, 7000}));
  EXPECT_EQ(read({}, R"({"image_processor": {"merge_size": 3}})").merge_size, 3);
}

TEST(Qwen2VlConfig, ReadsTarsier2sOwnSettings) {
  const auto config =
      read("{}", R"({"max_pixels": 7056, "min_pixels": 10, "n_frames": 8, "max_n_frames": 32,
      "max_seq_len": 2048, "temporal_patch_size": 2, "frame_markers": true,
      "video_sampling_strategy": {"video_sampler_version": "v2", "use_multi_images_for_video": true}})");
  EXPECT_EQ(config.tarsier2.frame, (PixelBudget{10, 7056}));
  EXPECT_EQ(config.tarsier2.default_frames, 8);
  EXPECT_EQ(config.tarsier2.max_frames, 32);
  EXPECT_EQ(config.tarsier2.max_tokens, 2048);
  EXPECT_EQ(config.tarsier2.frames_per_image, 2);
  EXPECT_TRUE(config.tarsier2.run_middles);
  EXPECT_TRUE(config.frame_markers);
}

TEST(Qwen2VlConfig, NamesFileAndKey) {
  const auto fails = [](std::string_view image, std::string_view processor, const char* file,
                        const char* what) {
    EXPECT_THAT([&] { read(image, processor); },
                ThrowsMessage<CheckpointError>(AllOf(HasSubstr(file), HasSubstr(what))));
  };
  fails(R"({"patch_size": 0})", {}, "preprocessor_config.json", "patch_size");
  fails(R"({"patch_size": "14"})", {}, "preprocessor_config.json", "patch_size");
  fails(R"({"image_mean": [0.5]})", {}, "preprocessor_config.json", "image_mean");
  fails(R"({"image_std": [0.5, 0, 0.5]})", {}, "preprocessor_config.json", "image_std");
  fails(R"({"do_resize": false})", {}, "preprocessor_config.json", "do_resize");
  fails(R"({"resample": 2})", {}, "preprocessor_config.json", "resample");
  fails(R"({"rescale_factor": 1})", {}, "preprocessor_config.json", "rescale_factor");
  fails(R"({"min_pixels": 10, "max_pixels": 5})", {}, "preprocessor_config.json", "leave no size");
  fails("{}", R"({"n_frames": 300})", "processor_config.json", "n_frames");
  fails("{}", R"({"video_sampling_strategy": {"video_sampler_version": "v9"}})",
        "processor_config.json", "v9");
  fails("{}", R"({"video_sampling_strategy": {"use_multi_images_for_video": false}})",
        "processor_config.json", "use_multi_images_for_video");
  fails("{}", R"({"video_sampling_strategy": {"force_frames_n_divisible": 2}})",
        "processor_config.json", "force_frames_n_divisible");
  fails("{}", R"({"video_processor": {"patch_size": 16}})", "processor_config.json",
        "one vision tower");
  fails("{", {}, "preprocessor_config.json", "");
  fails({}, {}, "preprocessor_config.json", "missing");
}

}  // namespace
}  // namespace tarsier
