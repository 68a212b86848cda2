#include "tarsier/processors/qwen2_vl_video.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tarsier/base/error.h"
#include "tarsier/media/resize.h"
#include "tarsier/processors/media_preparation.h"

namespace tarsier {

static void PrintTo(const Size& size, std::ostream* out) {
  *out << size.height << "x" << size.width;
}
static void PrintTo(const PatchGrid& grid, std::ostream* out) {
  *out << "(" << grid.time << "," << grid.height << "," << grid.width << ")";
}

namespace {

using testing::ElementsAre;

/// Noise that differs from frame to frame and from pixel to pixel.
Frame make_frame(std::int64_t index, Size size) {
  Frame frame{index, static_cast<double>(index), size.height, size.width, {}};
  for (std::int64_t i = 0; i < size.height * size.width * 3; ++i) {
    frame.rgb.push_back(static_cast<std::uint8_t>((i * 7 + i / 31 + index * 13) % 256));
  }
  return frame;
}

std::vector<Frame> make_frames(std::int64_t count, Size size) {
  std::vector<Frame> frames;
  for (std::int64_t i = 0; i < count; ++i) frames.push_back(make_frame(i, size));
  return frames;
}

Qwen2VlVideoConfig released() {
  Qwen2VlVideoConfig config;
  config.image = config.video = {3136, 12845056};
  return config;
}

/// The same by the tensor form of models-tarsier.md 3.2: [T, H, W, 3] bytes to patches.
Tensor reference_patches(const std::vector<Frame>& shown, const Qwen2VlVideoConfig& config) {
  const std::int64_t height = shown[0].height, width = shown[0].width, p = config.patch_size,
                     m = config.merge_size;
  std::vector<Tensor> planes;
  for (const Frame& frame : shown) {
    Tensor plane = at::empty({height, width, 3}, at::kByte);
    std::copy(frame.rgb.begin(), frame.rgb.end(), plane.data_ptr<std::uint8_t>());
    planes.push_back(plane.permute({2, 0, 1}).to(at::kFloat));
  }
  const Tensor mean = at::empty({3, 1, 1}), deviation = at::empty({3, 1, 1});
  for (std::int64_t c = 0; c < 3; ++c) {
    mean[c].fill_(config.mean[static_cast<std::size_t>(c)]);
    deviation[c].fill_(config.deviation[static_cast<std::size_t>(c)]);
  }
  const Tensor video = (at::stack(planes) / 255 - mean) / deviation;
  const std::int64_t slices = video.size(0) / config.temporal_patch_size;
  return video
      .reshape({slices, config.temporal_patch_size, 3, height / p / m, m, p, width / p / m, m, p})
      .permute({0, 3, 6, 4, 7, 2, 1, 5, 8})
      .reshape({slices * height / p * width / p, config.patch_values()});
}

TEST(NormalisedValues, MatchTheReference) {
  const Qwen2VlVideoConfig defaults;
  const NormalisedValues values = normalised_values(defaults.mean, defaults.deviation);
  const float expected[3][3] = {{-1.7922625F, 0.0763361F, 1.9303363F},
                                {-1.7520971F, 0.1688972F, 2.0748838F},
                                {-1.4802198F, 0.3399486F, 2.1458970F}};
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(values[c][0], expected[c][0], 1e-6);
    EXPECT_NEAR(values[c][128], expected[c][1], 1e-6);
    EXPECT_NEAR(values[c][255], expected[c][2], 1e-6);
  }
}

// The scalar form of models-tarsier.md 3.2, on values that tell time, colour, row and column apart.
TEST(PatchFrames, FollowsTheScalarRule) {
  const auto frames = make_frames(4, {56, 56});
  const Qwen2VlVideoConfig config = released();
  const PatchedMedia media = patch_frames(frames, {{56, 56}}, 1, config);
  EXPECT_EQ(media.grid, (PatchGrid{2, 4, 4}));
  const NormalisedValues values = normalised_values(config.mean, config.deviation);
  const auto rows = media.pixels.accessor<float, 2>();
  for (std::int64_t r = 0; r < 32; ++r) {
    const std::int64_t q = r / 16, s = r % 16, b = s / 4, i = s % 4;
    const std::int64_t ph = 2 * (b / 2) + i / 2, pw = 2 * (b % 2) + i % 2;
    for (std::int64_t k = 0; k < 1176; ++k) {
      const std::int64_t c = k / 392, dt = k % 392 / 196, y = k % 196 / 14, x = k % 14;
      const Frame& frame = frames[static_cast<std::size_t>(2 * q + dt)];
      const std::uint8_t byte =
          frame.rgb[static_cast<std::size_t>(((14 * ph + y) * 56 + 14 * pw + x) * 3 + c)];
      ASSERT_EQ(rows[r][k], values[static_cast<std::size_t>(c)][byte]) << r << " " << k;
    }
  }
}

TEST(PatchFrames, EqualsTheTensorFormForOtherGeometries) {
  Qwen2VlVideoConfig config;
  for (const auto& [patch, temporal, merge] :
       {std::array{14, 2, 2}, std::array{4, 2, 2}, std::array{7, 3, 1}, std::array{2, 1, 3}}) {
    config.patch_size = patch;
    config.temporal_patch_size = temporal;
    config.merge_size = merge;
    const Size size{config.factor() * 3, config.factor() * 2};
    const auto frames = make_frames(2 * temporal, size);
    const PatchedMedia media = patch_frames(frames, {size}, 1, config);
    EXPECT_TRUE(at::allclose(media.pixels, reference_patches(frames, config), 0, 1e-6)) << patch;
  }
}

TEST(Qwen2VlVideo, PairsNeighboursAndRepeatsAnOddLastFrame) {
  const Qwen2VlVideoConfig config = released();
  for (const std::int64_t count : {1, 2, 3, 7, 16}) {
    auto frames = make_frames(count, {56, 84});
    const PatchedMedia media = patch_qwen2_vl_video(frames, config);
    EXPECT_EQ(media.grid, (PatchGrid{(count + 1) / 2, 4, 6}));
    if (count % 2 == 1) frames.push_back(frames.back());
    EXPECT_TRUE(at::allclose(media.pixels, reference_patches(frames, config), 0, 1e-6)) << count;
  }
}

TEST(Qwen2VlVideo, ResizesAsPillow) {
  const Qwen2VlVideoConfig config = released();
  auto frames = make_frames(2, {61, 93});
  const PatchedMedia media = patch_qwen2_vl_video(frames, config);
  EXPECT_EQ(media.resized, (Size{56, 84}));
  for (Frame& frame : frames) {
    frame.rgb = resize_bicubic(frame.rgb, {61, 93}, {56, 84});
    frame.height = 56;
    frame.width = 84;
  }
  EXPECT_TRUE(at::allclose(media.pixels, reference_patches(frames, config), 0, 1e-6));
}

TEST(Qwen2VlVideo, AnImageFillsItsSliceAlone) {
  const Qwen2VlVideoConfig config = released();
  const Frame image = make_frame(0, {56, 56});
  const PatchedMedia media = patch_image(image, config);
  EXPECT_EQ(media.grid, (PatchGrid{1, 4, 4}));
  EXPECT_TRUE(at::allclose(media.pixels, reference_patches({image, image}, config), 0, 1e-6));
}

TEST(Qwen2VlVideo, QwenVlUtilsSizes) {
  const Qwen2VlVideoConfig config = released();
  const auto size = [&](Size source, std::int64_t frames) {
    return qwen2_vl_frame_size(source, frames, config, VideoSizing::qwen_vl_utils);
  };
  EXPECT_EQ(size({720, 1280}, 128), (Size{560, 1008}));
  EXPECT_EQ(size({1080, 1920}, 16), (Size{560, 1008}));
  EXPECT_EQ(size({360, 640}, 16), (Size{364, 644}));
  EXPECT_EQ(size({240, 320}, 16), (Size{280, 392}));
  EXPECT_EQ(size({144, 176}, 16), (Size{308, 364}));
  // 768 frames: 128000 * 0.9 * 784 / 768 * 2 = 235,200 pixels a frame.
  EXPECT_EQ(size({720, 1280}, 768), (Size{336, 644}));
}

TEST(Qwen2VlVideo, QwenVlUtilsResizesWithinOneStepOfPillow) {
  const Qwen2VlVideoConfig config = released();
  auto frames = make_frames(2, {144, 176});
  for (Frame& frame : frames) {  // away from 0 and 255, where Pillow clamps between its two passes
    for (std::uint8_t& value : frame.rgb) value = static_cast<std::uint8_t>(96 + value / 4);
  }
  const PatchedMedia media = patch_qwen2_vl_video(frames, config, VideoSizing::qwen_vl_utils);
  EXPECT_EQ(media.resized, (Size{308, 364}));
  const PatchedMedia pillow = patch_frames(frames, {{308, 364}}, 1, config);
  EXPECT_LT((media.pixels - pillow.pixels).abs().max().item<float>(), 1.6F / 255 / 0.26F);
}

TEST(Tarsier2Video, ReferenceSizes) {
  const Qwen2VlVideoConfig config = released();
  struct Case {
    Size source;
    std::int64_t frames, cap;
    Size inside, resized;
    std::int64_t tokens;
  };
  const Case cases[] = {
      {{720, 1280}, 8, 460800, {509, 905}, {504, 896}, 4608},
      {{1080, 1920}, 8, 460800, {509, 905}, {504, 896}, 4608},
      {{720, 1280}, 16, 460800, {509, 905}, {504, 896}, 9216},
      {{720, 1280}, 20, 460800, {509, 905}, {504, 896}, 11520},
      {{1080, 1920}, 32, 294912, {407, 724}, {420, 728}, 12480},
      {{720, 1280}, 64, 147456, {288, 512}, {280, 504}, 11520},
      {{720, 1280}, 128, 73728, {203, 362}, {196, 364}, 11648},
      {{720, 1280}, 256, 36864, {144, 256}, {140, 252}, 11520},
      {{360, 640}, 16, 460800, {360, 640}, {364, 644}, 4784},
      {{480, 640}, 16, 460800, {480, 640}, {476, 644}, 6256},
      {{240, 320}, 16, 460800, {240, 320}, {252, 308}, 1584},
      {{1080, 1080}, 16, 460800, {678, 678}, {672, 672}, 9216},
  };
  for (const Case& c : cases) {
    const PixelBudget budget = tarsier2_frame_budget(2 * c.frames, config);
    EXPECT_EQ(budget.max_pixels, c.cap) << c.frames;
    EXPECT_THAT(tarsier2_resize_steps(c.source, budget, config), ElementsAre(c.inside, c.resized))
        << c.frames;
    EXPECT_EQ(c.frames * c.resized.height * c.resized.width / 784, c.tokens);
  }
}

TEST(Tarsier2Video, ShowsEveryFrameTwice) {
  Qwen2VlVideoConfig config = released();
  config.tarsier2.frame.max_pixels = 5000;
  const auto frames = make_frames(3, {120, 160});
  const PixelBudget budget = tarsier2_frame_budget(6, config);
  const PatchedMedia media = patch_tarsier2_video(frames, budget, config);
  EXPECT_EQ(media.grid, (PatchGrid{3, 4, 6}));
  std::vector<Frame> shown;
  for (Frame frame : frames) {
    frame.rgb = resize_bicubic(frame.rgb, {120, 160}, {61, 81});
    frame.rgb = resize_bicubic(frame.rgb, {61, 81}, {56, 84});
    frame.height = 56;
    frame.width = 84;
    shown.insert(shown.end(), 2, frame);
  }
  EXPECT_THAT(tarsier2_resize_steps({120, 160}, budget, config),
              ElementsAre(Size{61, 81}, Size{56, 84}));
  EXPECT_TRUE(at::allclose(media.pixels, reference_patches(shown, config), 0, 1e-6));
}

TEST(Tarsier2Video, MorePicturesThanPixelsAreRefused) {
  EXPECT_THROW(tarsier2_frame_budget(20'000'000, released()), InputError);
}

Part video(std::int64_t frames, Size size) {
  return {{},
          std::make_shared<const Pictures>(
              Pictures{Modality::video, make_frames(frames, size), 0, {}})};
}

Part image(Size size) {
  return {{},
          std::make_shared<const Pictures>(Pictures{Modality::image, make_frames(1, size), 0, {}})};
}

std::vector<PatchGrid> grids_of(const PreparedMedia& media) {
  std::vector<PatchGrid> grids;
  for (const SeenMedia& seen : media.seen) grids.push_back(seen.grid);
  return grids;
}

TEST(MediaPreparation, KeepsTheOrderOfImagesAndVideos) {
  const Conversation conversation{
      {"user", {image({56, 84}), {"then", nullptr}, video(4, {84, 56}), image({56, 56})}}};
  const Qwen2VlVideoConfig config = released();
  const PreparedMedia media = prepare_qwen2_vl_media(conversation, config);
  EXPECT_THAT(grids_of(media),
              ElementsAre(PatchGrid{1, 4, 6}, PatchGrid{2, 6, 4}, PatchGrid{1, 4, 4}));
  EXPECT_EQ(media.inputs.pixels.size(0), 24 + 48 + 16);
  EXPECT_EQ(media.inputs.grid[1][0].item<std::int64_t>(), 2);
  EXPECT_EQ(media.inputs.grid[1][1].item<std::int64_t>(), 6);
  // Each equals what it is on its own.
  EXPECT_TRUE(at::equal(media.inputs.pixels.slice(0, 24, 72),
                        patch_qwen2_vl_video(make_frames(4, {84, 56}), config).pixels));
  EXPECT_EQ(media.seen[1].frames, 4);
  EXPECT_EQ(media.seen[1].tokens, 12);
  EXPECT_EQ(media.seen[1].source, (Size{84, 56}));
}

TEST(MediaPreparation, TwoImagesAreTwoGrids) {
  const Conversation conversation{{"user", {image({56, 56}), image({56, 56})}}};
  const PreparedMedia media = prepare_qwen2_vl_media(conversation, released());
  EXPECT_THAT(grids_of(media), ElementsAre(PatchGrid{1, 4, 4}, PatchGrid{1, 4, 4}));
}

TEST(MediaPreparation, Tarsier2SharesTheSamplesPixels) {
  Qwen2VlVideoConfig config = released();
  config.tarsier2.sample_pixels = 9 * 56 * 56;
  config.tarsier2.frame.max_pixels = 100'000;
  const Conversation conversation{{"user", {image({112, 112}), video(4, {112, 112})}}};
  const PreparedMedia media = prepare_tarsier2_media(conversation, config);  // 1 + 2 * 4 pictures
  EXPECT_THAT(grids_of(media), ElementsAre(PatchGrid{1, 4, 4}, PatchGrid{4, 4, 4}));
  const auto plan = plan_tarsier2_media(conversation, config);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[1].grid, media.seen[1].grid);
  EXPECT_EQ(plan[1].tokens, 16);
}

TEST(MediaPreparation, WordsAloneHaveNoPixels) {
  const PreparedMedia media = prepare_tarsier2_media({{"user", {{"hello", nullptr}}}}, released());
  EXPECT_FALSE(media.inputs.pixels.defined());
  EXPECT_TRUE(media.seen.empty());
}

}  // namespace
}  // namespace tarsier
