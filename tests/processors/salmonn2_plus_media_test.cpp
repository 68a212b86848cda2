#include "tarsier/processors/salmonn2_plus_media.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_directory.h"
#include "tarsier/base/error.h"
#include "tarsier/media/sampling.h"
#include "tarsier/processors/smart_resize.h"

namespace tarsier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

std::shared_ptr<Pictures> pictures(std::int64_t frames, Size size, double seconds,
                                   std::int64_t samples = 0) {
  auto made = std::make_shared<Pictures>();
  made->seconds = seconds;
  for (std::int64_t i = 0; i < frames; ++i) {
    made->frames.push_back(
        {i, 0.0, size.height, size.width,
         std::vector<std::uint8_t>(static_cast<std::size_t>(3 * size.height * size.width), 77)});
  }
  if (frames == 0) made->modality = Modality::audio;
  if (samples > 0)
    made->sound = std::make_shared<Sound>(
        Sound{std::vector<float>(static_cast<std::size_t>(samples), 0.25F)});
  return made;
}

Conversation about(std::shared_ptr<const Pictures> media) {
  return {{"user", {Part{{}, std::move(media)}, Part{"What?", nullptr}}}};
}

SeenMedia plan(std::shared_ptr<const Pictures> media, const Salmonn2PlusMedia& rule = {}) {
  return plan_salmonn2_plus_media(about(std::move(media)), rule).at(0);
}

VideoInfo clip_of(double seconds) {
  VideoInfo info;
  info.frames_per_second = 30;
  info.frames = static_cast<std::int64_t>(seconds * 30);
  info.seconds = seconds;
  return info;
}

FrameChoice choose(const VideoInfo& info, const FrameRequest& request = {}) {
  std::vector<double> times;
  for (std::int64_t i = 0; i < info.frames; ++i) times.push_back(static_cast<double>(i) / 30);
  return choose_frames(salmonn2_plus_sampling({}), info, times, request);
}

// T9 and trap 18: the recipe for clips of 720p, 30 frames a second.
TEST(Salmonn2PlusMedia, FramesAndSizesOfTheRecipe) {
  struct Row {
    double seconds;
    std::int64_t frames;
    Size size;
    std::int64_t slices, per_slice, sound;
    double slice_seconds;
  };
  for (const Row& row :
       {Row{5, 64, {616, 1092}, 32, 858, 60, 0.15625}, Row{10, 100, {476, 868}, 50, 527, 60, 0.2},
        Row{30, 300, {280, 504}, 150, 180, 60, 0.2}, Row{60, 600, {196, 336}, 300, 84, 120, 0.2},
        Row{110, 768, {168, 308}, 384, 66, 240, 0.286458},
        Row{300, 768, {168, 308}, 384, 66, 600, 0.78125}}) {
    SCOPED_TRACE(row.seconds);
    const FrameChoice choice = choose(clip_of(row.seconds));
    EXPECT_EQ(std::ssize(choice.indices), row.frames);
    EXPECT_EQ(choice.indices.back(), clip_of(row.seconds).frames - 1);
    EXPECT_DOUBLE_EQ(choice.part_seconds, row.seconds);
    EXPECT_EQ(choice.sampler, "salmonn2_plus interval");
    EXPECT_EQ(salmonn2_plus_frame_size({720, 1280}, row.frames, {}), row.size);
    EXPECT_NEAR(2 * row.seconds / static_cast<double>(row.frames), row.slice_seconds, 1e-6);
    const SeenMedia seen =
        plan(pictures(0, {}, row.seconds, static_cast<std::int64_t>(row.seconds * 16000)));
    EXPECT_EQ(seen.tokens, row.sound);
    EXPECT_EQ(row.size.height * row.size.width / 784, row.per_slice);
    EXPECT_EQ((row.frames + 1) / 2, row.slices);
  }
}

// T8 and trap 17.
TEST(Salmonn2PlusMedia, SidesRoundHalfToEven) {
  const auto fit = [](Size size, double most) {
    return fit_to_fractional_budget(size, 28, 784, most, ResizeGuard::none);
  };
  EXPECT_EQ(fit({720, 1280}, 148960), (Size{280, 504}));
  EXPECT_EQ(fit({720, 1280}, 61250), (Size{168, 308}));
  EXPECT_EQ(fit({720, 1280}, 698250), (Size{616, 1092}));
  EXPECT_EQ(fit({360, 640}, 698250), (Size{364, 644}));
  EXPECT_EQ(fit({350, 630}, 698250), (Size{336, 616}));
}

TEST(Salmonn2PlusMedia, FrameChoices) {
  EXPECT_THAT(sample_truncated_linspace(0, 9, 4), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(sample_truncated_linspace(0, 2, 8), ElementsAre(0, 1, 2));
  EXPECT_THAT(sample_truncated_linspace(5, 9, 1), ElementsAre(5));
  EXPECT_EQ(interval_frame_count(0.25, 0.1, 1, 9), 2);  // half to even
  EXPECT_EQ(choose(clip_of(1)).indices.size(), 30U);    // a short clip gives all it has
  EXPECT_THAT(choose(clip_of(2), {.frames = 3}).indices, ElementsAre(0, 29, 59));
  EXPECT_EQ(choose(clip_of(2), {.frames = 3}).sampler, "salmonn2_plus count");
  EXPECT_EQ(choose(clip_of(4), {.fps = 2.0}).indices.size(), 8U);
  EXPECT_EQ(choose(clip_of(4), {.fps = 2.0}).sampler, "salmonn2_plus fps");
  EXPECT_DOUBLE_EQ(choose(clip_of(4), {.start = 1.0, .end = 1.9}).part_seconds, 0.9);
  const auto refusal = [](const FrameRequest& request, double seconds, const char* what) {
    EXPECT_THAT([&] { choose(clip_of(seconds), request); },
                ThrowsMessage<ConfigError>(HasSubstr(what)));
  };
  refusal({.fps = 0.1}, 2, "--fps: 0.1 frames a second leave no frame");
  refusal({.fps = 20.0}, 60, "20 frames a second are 1200 frames, the model takes at most 768");
  refusal({.frames = 769}, 60, "is 769, the model takes at most 768");
  refusal({.frames = 61}, 2, "is 61, there are 60");
}

// Trap 19: an odd number of frames repeats the last one.
TEST(Salmonn2PlusMedia, AnOddFrameIsRepeated) {
  EXPECT_EQ(plan(pictures(301, {28, 28}, 30)).grid.time, 151);
  const auto five = prepare_salmonn2_plus_media(about(pictures(5, {28, 28}, 1)), {});
  EXPECT_EQ(five.inputs.pixels.size(0), 3 * 4);
  EXPECT_TRUE(at::equal(five.inputs.pixels[0], five.inputs.pixels[11]));
}

// Trap 14: 60 tokens even for one second, and one chunk more for one sample more.
TEST(Salmonn2PlusMedia, AChunkOfSoundIsSixtyTokens) {
  for (const auto& [samples, tokens] : {std::pair<std::int64_t, std::int64_t>{1, 60},
                                        {16'000, 60},
                                        {480'000, 60},
                                        {480'001, 120}}) {
    EXPECT_EQ(plan(pictures(0, {}, 0, samples)).tokens, tokens) << samples;
  }
  const SeenMedia heard = plan(pictures(4, {28, 28}, 60, 320'000));
  EXPECT_EQ(heard.tokens, 2 + 60);
  Salmonn2PlusMedia older;
  older.settings.grouping = SoundGrouping::evenly;
  EXPECT_EQ(plan(pictures(8, {28, 28}, 60, 1), older).block.runs[1].tokens, 15);
}

TEST(Salmonn2PlusMedia, SoundBelongsToTheMediumItCameWith) {
  const Conversation conversation{
      {"user", {Part{{}, pictures(2, {28, 28}, 1, 16'000)}, Part{{}, pictures(0, {}, 1, 16'000)}}}};
  const PreparedMedia prepared = prepare_salmonn2_plus_media(conversation, {});
  EXPECT_EQ(prepared.inputs.mel.sizes(), (std::vector<std::int64_t>{2, 128, 3000}));
  EXPECT_EQ(prepared.inputs.grid.size(0), 1);
  ASSERT_EQ(prepared.inputs.layout.size(), 2U);
  EXPECT_EQ(prepared.inputs.layout[0].mel_chunks, 1);
  EXPECT_EQ(prepared.inputs.layout[1].runs.size(), 1U);
}

// A model loaded without its sound sees a video alone, and says no to sound alone.
TEST(Salmonn2PlusMedia, WhatDoesNotHearRefusesSoundAlone) {
  Salmonn2PlusMedia deaf;
  deaf.tokens_per_chunk = 0;
  const auto video = prepare_salmonn2_plus_media(about(pictures(2, {28, 28}, 1, 16'000)), deaf);
  EXPECT_EQ(video.seen[0].tokens, 1);
  EXPECT_FALSE(video.inputs.mel.defined());
  EXPECT_THAT([&] { plan(pictures(0, {}, 1, 16'000), deaf); },
              ThrowsMessage<InputError>(StartsWith(
                  "sound: was given to a model that does not hear; pass a video-SALMONN 2")));
}

TEST(Salmonn2PlusMedia, ReadsItsSettings) {
  const ModelDirectory directory;
  EXPECT_EQ(read_salmonn2_plus_settings(directory.path()).max_frames, 768);
  directory.write("processor_config.json",
                  R"({"salmonn2_plus": {"frame_interval": 0.2, "min_frames": 8, "max_frames": 128,
                      "min_pixels": 800, "max_pixels": 176400, "positions": "upstream_generate",
                      "audio_grouping": "2507"}})");
  const Salmonn2PlusSettings settings = read_salmonn2_plus_settings(directory.path());
  EXPECT_EQ(settings.frame_interval, 0.2);
  EXPECT_EQ(settings.min_frames, 8);
  EXPECT_EQ(settings.max_frames, 128);
  EXPECT_EQ(settings.frame, (PixelBudget{800, 176400}));
  EXPECT_TRUE(settings.upstream_positions);
  EXPECT_EQ(settings.grouping, SoundGrouping::evenly);
}

TEST(Salmonn2PlusMedia, SaysWhatItsSettingsCannotBe) {
  const auto refusal = [](const char* settings, const char* what) {
    const ModelDirectory directory;
    directory.write("processor_config.json", std::string("{\"salmonn2_plus\": ") + settings + "}");
    EXPECT_THAT([&] { read_salmonn2_plus_settings(directory.path()); },
                ThrowsMessage<CheckpointError>(
                    AllOf(StartsWith("processor_config.json: salmonn2_plus"), HasSubstr(what))));
  };
  refusal(R"({"frame_interval": 0})",
          "frame_interval: is not above 0; give seconds between frames");
  refusal(R"({"min_frames": 9, "max_frames": 8})", "min_frames is more than max_frames; lower one");
  refusal(R"({"min_pixels": 9, "max_pixels": 8})", "min_pixels is more than max_pixels; lower one");
  refusal(R"({"max_frames": 0})", "max_frames");
  refusal(R"({"positions": "b"})", "positions: is 'b'; use 'train' or 'upstream_generate'");
  refusal(R"({"audio_grouping": "2510"})", "audio_grouping: is '2510'; use '2509' or '2507'");
}

}  // namespace
}  // namespace tarsier
