#include "tarsier/processors/square_frames.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tarsier/base/error.h"
#include "tarsier/media/resize.h"

namespace tarsier {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

namespace fs = std::filesystem;

Frame gradient(std::int64_t height, std::int64_t width) {
  Frame frame{0, 0.0, height, width, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) frame.rgb.push_back(static_cast<std::uint8_t>(x * 255 / width));
    }
  }
  return frame;
}

fs::path folder_with(const std::string& json) {
  const fs::path folder =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::create_directories(folder);
  std::ofstream(folder / "preprocessor_config.json") << json;
  return folder;
}

// models-tarsier.md trap 9: neither padded nor cropped.
TEST(SquareFrames, AWidePictureKeepsItsEdges) {
  const SquareImageConfig config;
  const Frame frame = gradient(100, 300);
  const Tensor pixels = square_frames({&frame, 1}, config);
  ASSERT_EQ(pixels.sizes(), (std::vector<std::int64_t>{1, 3, 336, 336}));
  const double black = -config.mean[0] / config.deviation[0],
               white = (253.0 / 255 - config.mean[0]) / config.deviation[0];
  EXPECT_NEAR(pixels[0][0][0][0].item<double>(), black, 0.03);
  EXPECT_NEAR(pixels[0][0][335][0].item<double>(), black, 0.03);
  EXPECT_NEAR(pixels[0][0][200][335].item<double>(), white, 0.03);
}

// Trap 7: two resizes, the intermediate picture being a square of the longer side.
TEST(SquareFrames, GoesByTheLongerSide) {
  SquareImageConfig config;
  config.side = 28;
  const Frame frame = gradient(31, 50);
  const auto square = resize_bicubic(frame.rgb, {31, 50}, {50, 50});
  const auto small = resize_bicubic(square, {50, 50}, {28, 28});
  const Tensor pixels = square_frames({&frame, 1}, config);
  for (std::int64_t x = 0; x < 28; ++x) {
    const double expected =
        (small[static_cast<std::size_t>(3 * x)] / 255.0 - config.mean[0]) / config.deviation[0];
    EXPECT_NEAR(pixels[0][0][0][x].item<double>(), expected, 1e-6);
  }
  config.by_longer_side = false;
  const auto direct = resize_bicubic(frame.rgb, {31, 50}, {28, 28});
  EXPECT_NEAR(square_frames({&frame, 1}, config)[0][2][5][7].item<double>(),
              (direct[3 * (5 * 28 + 7) + 2] / 255.0 - config.mean[2]) / config.deviation[2], 1e-6);
}

TEST(SquareFrames, EveryFrameIsThere) {
  SquareImageConfig config;
  config.side = 28;
  const std::vector<Frame> frames{gradient(20, 30), gradient(20, 30)};
  const auto pictures = std::make_shared<const Pictures>(Pictures{Modality::video, frames, 0, {}});
  const Conversation conversation{{"user", {Part{{}, pictures}, Part{"what?", nullptr}}}};
  const PreparedMedia media = prepare_square_media(conversation, config, 2, 7);
  EXPECT_EQ(media.inputs.pixels.size(0), 2);
  ASSERT_EQ(media.seen.size(), 1U);
  EXPECT_EQ(media.seen[0].tokens, 14);
  EXPECT_EQ(media.seen[0].block.tokens(), 14);
  EXPECT_EQ(media.seen[0].grid, (PatchGrid{2, 2, 2}));
  EXPECT_EQ(media.seen[0].source, (Size{20, 30}));
  EXPECT_FALSE(prepare_square_media({{"user", {Part{"words", nullptr}}}}, config, 2, 7)
                   .inputs.pixels.defined());
}

TEST(ClipImageConfig, ReadsBothSpellingsOfASize) {
  const auto side = [](const std::string& json) {
    return read_clip_image_config(folder_with(json)).side;
  };
  EXPECT_EQ(side(R"({"size": {"shortest_edge": 224}})"), 224);
  EXPECT_EQ(side(R"({"size": 224, "crop_size": {"height": 224, "width": 224}})"), 224);
  EXPECT_EQ(side("{}"), 336);
}

TEST(ClipImageConfig, RefusesWhatThisFamilyNeverDoes) {
  const auto refusal = [](const std::string& json, const char* what) {
    EXPECT_THAT([&] { read_clip_image_config(folder_with(json)); },
                ThrowsMessage<CheckpointError>(HasSubstr(what)))
        << json;
  };
  refusal(R"({"do_resize": false})", "preprocessor_config.json: do_resize: is a step this family");
  refusal(R"({"resample": 2})",
          "resample: is a step this family does not have; expected 3, bicubic");
  refusal(R"({"rescale_factor": 1.0})", "rescale_factor");
  refusal(R"({"size": {"height": 20, "width": 30}})", "is 30x20, not a square");
  refusal(R"({"size": 20, "crop_size": 10})", "crop_size: is not the size of the resized picture");
  refusal(R"({"image_std": [1, 0, 1]})", "holds a number that is not positive");
  refusal(R"({"image_mean": [1, 0]})", "does not have three numbers");
  EXPECT_THAT([] { read_clip_image_config(fs::path(testing::TempDir()) / "nowhere"); },
              ThrowsMessage<CheckpointError>(HasSubstr("preprocessor_config.json: is missing")));
}

}  // namespace
}  // namespace tarsier
