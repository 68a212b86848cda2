// LLaVA-OneVision, and what the LlavaQwen families share: what parity with the fixtures does not
// show.

#include "tarsier/models/llava_onevision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/models/llava_qwen.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

fs::path fixture() {
  return fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / "llava_onevision";
}

fs::path with_config(const std::function<void(json&)>& edit) {
  const fs::path folder =
      fs::path(testing::TempDir()) /
      (std::string("llava_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  fs::remove_all(folder);
  fs::copy(fixture(), folder, fs::copy_options::recursive);
  std::ifstream in(folder / "config.json");
  json config = json::parse(in);
  edit(config);
  std::ofstream(folder / "config.json") << config.dump(1);
  return folder;
}

void expect_refusal(const std::function<void(json&)>& edit, const char* what) {
  const fs::path folder = with_config(edit);
  EXPECT_THAT([&] { load_model(folder); }, ThrowsMessage<CheckpointError>(HasSubstr(what)));
}

std::shared_ptr<Pictures> picture(Modality modality) {
  auto pictures = std::make_shared<Pictures>();
  pictures->modality = modality;
  if (modality == Modality::audio) {
    pictures->sound = std::make_shared<const Sound>(Sound{std::vector<float>(16'000)});
  } else {
    pictures->frames.push_back({0, 0.0, 4, 4, std::vector<std::uint8_t>(48, 99)});
  }
  return pictures;
}

Conversation about(std::initializer_list<Modality> media) {
  Conversation conversation{{"user", {}}};
  for (const Modality each : media) conversation[0].parts.push_back({{}, picture(each)});
  conversation[0].parts.push_back({"What?", nullptr});
  return conversation;
}

void expect_input_error(const VideoLanguageModel& model, const Conversation& conversation,
                        const char* what) {
  EXPECT_THAT([&] { model.prepare(conversation); }, ThrowsMessage<InputError>(HasSubstr(what)));
}

TEST(LlavaQwen, SaysWhatItsFilesCannotBe) {
  expect_refusal([](json& c) { c["mm_projector_type"] = "linear"; },
                 "config.json: mm_projector_type: is 'linear'; expected 'mlp2x_gelu'");
  expect_refusal(
      [](json& c) {
        c.erase("vision_config");
        c["mm_vision_tower"] = "openai/clip";
      },
      "mm_vision_tower: is 'openai/clip', which is not supported; supported: "
      "google/siglip-so400m-patch14-384");
  expect_refusal([](json& c) { c["vision_config"]["model_type"] = "clip_vision_model"; },
                 "vision_config.model_type: is not siglip_vision_model");
  expect_refusal(
      [](json& c) {
        c["rope_scaling"] = {{"type", "mrope"}, {"mrope_section", {2, 3, 3}}};
      },
      "has an mrope_section");
  LoadOptions options;
  options.max_pixels = 100;
  EXPECT_THAT([&] { load_model(fixture(), options); },
              ThrowsMessage<ConfigError>(HasSubstr("LLaVA-OneVision sees every frame as 35x35")));
}

// Trap 5: the published sizes, of which the last layer is not there.
TEST(LlavaQwen, TheTowerIsSigLipWithoutItsLastLayer) {
  const ClipVitConfig vision = llava_qwen_vision(parse_json(R"({"mm_projector_type": "mlp2x_gelu",
                     "mm_vision_tower": "google/siglip-so400m-patch14-384"})",
                                                            "config.json", JsonOwner::checkpoint));
  EXPECT_EQ(vision.used_layers(), 26);
  EXPECT_EQ(vision.side(), 27);
  EXPECT_EQ(vision.epsilon, 1e-6);  // trap 10
}

TEST(LlavaOneVision, SaysWhatItsFilesCannotBe) {
  expect_refusal(
      [](json& c) { c["mm_spatial_pool_mode"] = "max"; },
      "mm_spatial_pool_mode: is 'max', which LLaVA-OneVision does not have; expected 'bilinear'");
  expect_refusal([](json& c) { c["mm_newline_position"] = "grid"; },
                 "mm_newline_position: is 'grid'");
  expect_refusal([](json& c) { c["mm_spatial_pool_stride"] = 3; },
                 "mm_spatial_pool_stride: is not 2");
  expect_refusal([](json& c) { c["image_aspect_ratio"] = "anyres_max_x"; },
                 "image_aspect_ratio: is 'anyres_max_x'; expected anyres_max_ and a number");
  expect_refusal([](json& c) { c["image_grid_pinpoints"] = "(1x1)"; },
                 "image_grid_pinpoints: is '(1x1)'; expected a list of widths and heights");
  expect_refusal([](json& c) { c["image_grid_pinpoints"] = json::array(); },
                 "image_grid_pinpoints: is empty");
  expect_refusal(
      [](json& c) {
        c["image_grid_pinpoints"] = {{35, 36}};
      },
      "image_grid_pinpoints[0]: is not in multiples of 35");
}

TEST(LlavaOneVision, SaysWhatItDoesNotTake) {
  const auto model = load_model(fixture());
  expect_input_error(*model, about({Modality::image, Modality::video}),
                     "LLaVA-OneVision: takes an image alone, the messages have 2 media");
  expect_input_error(*model, about({Modality::audio}),
                     "prompt: holds sound, which LLaVA-OneVision does not take");
  const auto padding = load_model(with_config([](json& c) { c["image_aspect_ratio"] = "pad"; }));
  expect_input_error(*padding, about({Modality::image}),
                     "LLaVA-OneVision: does not take single images");
  EXPECT_EQ(padding->plan_media(about({Modality::video, Modality::video})).size(), 2U);
}

TEST(LlavaOneVision, CanvasesMayBeARange) {
  const auto model =
      load_model(with_config([](json& c) { c["image_grid_pinpoints"] = "(1x1),...,(3x3)"; }));
  auto tall = picture(Modality::image);
  tall->frames[0].height = 120;
  tall->frames[0].rgb.assign(3 * 120 * 4, 9);
  const Conversation conversation{{"user", {Part{{}, tall}}}};
  EXPECT_EQ(model->plan_media(conversation)[0].grid.time,
            load_model(fixture())->plan_media(conversation)[0].grid.time);
}

// Each video ends in a newline of its own.
TEST(LlavaOneVision, TakesSeveralVideos) {
  const auto model = load_model(fixture());
  const ModelInputs inputs = model->prepare(about({Modality::video, Modality::video}));
  ASSERT_EQ(inputs.prompt.spans.size(), 2U);
  EXPECT_EQ(inputs.prompt.spans[1].length, 4 * 4 + 1);
  EXPECT_EQ(model->encode(inputs.media).size(0), 2 * 17);
  MediaInputs bare{inputs.media.pixels, inputs.media.grid, {}, {}};  // as training passes it
  EXPECT_TRUE(model->encode(bare).equal(model->encode(inputs.media)));
}

}  // namespace
}  // namespace tarsier
