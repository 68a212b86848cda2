#include "tarsier/processors/llava_media.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/media/log_mel.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

LlavaMediaConfig salmonn() {
  LlavaMediaConfig config;
  config.family = "video-SALMONN 2";
  config.square = {12, false, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
  config.grid_side = 4;
  config.tokens_per_frame = 6;
  config.fewest_frames = 2;
  config.most_media = 1;
  config.tokens_per_chunk = 60;
  config.most_chunks = 2;
  config.sound_alone_seconds = 110;
  return config;
}

std::shared_ptr<Pictures> clip(std::int64_t frames, double seconds, std::size_t samples) {
  auto pictures = std::make_shared<Pictures>();
  pictures->seconds = seconds;
  for (std::int64_t i = 0; i < frames; ++i)
    pictures->frames.push_back({i, 0.0, 4, 6, std::vector<std::uint8_t>(72, 255)});
  if (frames == 0) pictures->modality = Modality::audio;
  if (samples > 0) {
    pictures->sound = std::make_shared<const Sound>(Sound{std::vector<float>(samples, 0.25F)});
  }
  return pictures;
}

Conversation about(std::shared_ptr<const Pictures> pictures) {
  return {{"user", {Part{{}, std::move(pictures)}}}};
}

TEST(LlavaMedia, FramesBecomeSquaresOfHalfGrey) {
  const PreparedMedia prepared = prepare_llava_media(about(clip(3, 3, 0)), salmonn());
  EXPECT_EQ(prepared.inputs.pixels.sizes(), (std::vector<std::int64_t>{3, 3, 12, 12}));
  EXPECT_TRUE(at::equal(prepared.inputs.pixels, at::ones({3, 3, 12, 12})));
  EXPECT_FALSE(prepared.inputs.mel.defined());
  EXPECT_EQ(prepared.seen.front().tokens, 18);
}

// models-video-salmonn-2.md 3.3: filled up to a second first, then cut to the video.
TEST(LlavaMedia, SoundIsCutToItsVideo) {
  const auto mel = [](double seconds, std::size_t samples) {
    return prepare_llava_media(about(clip(2, seconds, samples)), salmonn()).inputs.mel;
  };
  const auto of = [](std::size_t loud, std::size_t all) {
    std::vector<float> samples(all);
    std::fill_n(samples.begin(), loud, 0.25F);
    return at::tensor(log_mel(samples), at::kFloat).view({-1, kMelBins, kMelFrames});
  };
  EXPECT_TRUE(at::equal(mel(2, 50'000), of(32'000, 32'000)));
  EXPECT_TRUE(at::equal(mel(2, 20'000), of(20'000, 20'000)));
  EXPECT_TRUE(at::equal(mel(2, 9'000), of(9'000, 16'000)));
  EXPECT_TRUE(at::equal(mel(0.5, 9'000), of(8'000, 8'000)));
}

TEST(LlavaMedia, SaysWhatEachMediumIs) {
  const PreparedMedia video = prepare_llava_media(about(clip(2, 31, 496'000)), salmonn());
  ASSERT_EQ(video.inputs.layout.size(), 1U);
  EXPECT_EQ(video.inputs.layout[0].frames, 2);
  EXPECT_EQ(video.inputs.layout[0].mel_chunks, 2);
  EXPECT_EQ(video.inputs.layout[0].seconds, 31);
  EXPECT_EQ(video.inputs.layout[0].runs.front().tokens, video.seen.front().tokens);
  const PreparedMedia sound = prepare_llava_media(about(clip(0, 0, 20'000)), salmonn());
  EXPECT_FALSE(sound.inputs.pixels.defined());
  EXPECT_TRUE(at::equal(sound.inputs.grid, at::zeros({1, 3}, at::kLong)));
  EXPECT_EQ(sound.seen.front().tokens, 60);
}

TEST(LlavaMedia, RefusesMoreSoundThanItHasPlacesFor) {
  EXPECT_THAT([] { plan_llava_media(about(clip(2, 61, 976'000)), salmonn()); },
              ThrowsMessage<InputError>(HasSubstr(
                  "video-SALMONN 2: hears at most 2 chunks of 30 s, this sound has 3; pass a "
                  "shorter part")));
}

TEST(LlavaMedia, RefusesWhatTheFamilyDoesNotTake) {
  const auto refused = [](const Conversation& conversation, LlavaMediaConfig config,
                          const char* what) {
    EXPECT_THAT([&] { plan_llava_media(conversation, config); },
                ThrowsMessage<InputError>(HasSubstr(what)));
  };
  auto image = clip(1, 0, 0);
  image->modality = Modality::image;
  refused(about(image), salmonn(), "video-SALMONN 2: does not take single images");
  refused(about(clip(1, 1, 0)), salmonn(), "needs a video of at least 2 frames, this one has 1");
  Conversation two = about(clip(2, 2, 0));
  two[0].parts.push_back({{}, clip(2, 2, 0)});
  refused(two, salmonn(), "takes one video or sound, the messages have 2");
  LlavaMediaConfig deaf = salmonn();
  deaf.tokens_per_chunk = 0;
  refused(about(clip(0, 0, 20'000)), deaf, "is loaded without its ears, and this is sound alone");
}

TEST(LlavaMedia, AVideoSaysHowLongItIs) {
  EXPECT_THROW(plan_llava_media(about(clip(2, 0, 16'000)), salmonn()), InternalError);
}

}  // namespace
}  // namespace tarsier
