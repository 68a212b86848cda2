// Tarsier, first generation: what parity with the fixtures does not show.

#include "tarsier/models/tarsier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/models/llama_decoder_config.h"
#include "tarsier/models/registry.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

fs::path fixture() {
  return fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / "tarsier";
}

fs::path copy_with(const std::function<void(nlohmann::json&)>& edit) {
  const fs::path folder =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::copy(fixture(), folder, fs::copy_options::recursive);
  std::ifstream in(folder / "config.json");
  nlohmann::json config = nlohmann::json::parse(in);
  edit(config);
  std::ofstream(folder / "config.json") << config.dump(1);
  return folder;
}

void expect_refusal(const std::function<void(nlohmann::json&)>& edit, const char* what) {
  const fs::path folder = copy_with(edit);
  EXPECT_THAT([&] { load_model(folder); }, ThrowsMessage<CheckpointError>(HasSubstr(what)));
}

Conversation about(std::int64_t frames, const std::string& words) {
  auto pictures = std::make_shared<Pictures>();
  for (std::int64_t i = 0; i < frames; ++i) {
    pictures->frames.push_back({i, 0.0, 4, 4, std::vector<std::uint8_t>(48, 99)});
  }
  return {{"user", {Part{{}, pictures}, Part{words, nullptr}}}};
}

TEST(Tarsier, APromptBeginsAndEndsAsTrained) {
  const auto model = load_model(fixture());
  const Prompt prompt = model->prepare(about(2, "What?")).prompt;
  const Tokenizer& tokenizer = model->tokenizer();
  EXPECT_EQ(prompt.tokens.front(), tokenizer.bos_id());  // trap 41: and no system prompt behind it
  EXPECT_EQ(tokenizer.spelling_of(prompt.tokens.back()), "▁");  // trap 38: the trailing space
  EXPECT_EQ(tokenizer.decode(prompt.tokens), "USER:  \nWhat? ASSISTANT: ");
}

// Trap 39: positions go on past max_position_embeddings, and nothing is cut.
TEST(Tarsier, LongPromptsAreNotCut) {
  const auto model = load_model(fixture());
  const Prompt prompt = model->prepare(about(400, "What?")).prompt;
  EXPECT_GT(prompt.tokens.size(), 5200U);
  EXPECT_EQ(prompt.positions.max().item<std::int64_t>(), prompt.next_position - 1);
}

TEST(Tarsier, WordsOfAMessageAreNeverPlaceholders) {
  const auto model = load_model(fixture());
  EXPECT_EQ(model->prepare(about(1, "a <image> b </s>")).prompt.spans.size(), 1U);
}

TEST(Tarsier, HasNoSystemTurn) {
  const auto model = load_model(fixture());
  const Conversation conversation{{"system", {Part{"Be brief.", nullptr}}},
                                  {"user", {Part{"What?", nullptr}}}};
  EXPECT_THAT([&] { model->prepare(conversation); },
              ThrowsMessage<InputError>(HasSubstr("Tarsier has no turn of the system")));
}

TEST(Tarsier, SaysWhatItsFilesCannotBe) {
  expect_refusal([](nlohmann::json& c) { c["projection_head"] = "Pixel_Shuffle"; },
                 "config.json: projection_head: is 'Pixel_Shuffle', which is not supported");
  expect_refusal([](nlohmann::json& c) { c["add_transformer_projector"] = true; },
                 "add_transformer_projector: is true");
  expect_refusal([](nlohmann::json& c) { c["projector_hidden_act"] = "relu"; },
                 "projector_hidden_act: is 'relu'; expected 'gelu'");
  expect_refusal([](nlohmann::json& c) { c["vision_feature_select_strategy"] = "full"; },
                 "vision_feature_select_strategy: is 'full'");
  expect_refusal(
      [](nlohmann::json& c) { c["vision_config"]["image_size"] = 40; },
      "preprocessor_config.json: size: is 30, but the vision tower of config.json takes 40");
  expect_refusal([](nlohmann::json& c) { c["image_newline_idx"] = 5000; }, "image_newline_idx");
  expect_refusal([](nlohmann::json& c) { c["text_config"]["attention_bias"] = true; },
                 "text_config.attention_bias: is not supported");
  expect_refusal([](nlohmann::json& c) { c["text_config"]["num_key_value_heads"] = 3; },
                 "num_key_value_heads: is 3, which does not divide num_attention_heads 4");
  expect_refusal(
      [](nlohmann::json& c) {
        c["text_config"]["rope_scaling"] = {{"type", "linear"}};
      },
      "rope_scaling.type: is not supported");
}

TEST(Tarsier, HasNoPixelLimit) {
  LoadOptions options;
  options.max_pixels = 100;
  EXPECT_THAT([&] { load_model(fixture(), options); },
              ThrowsMessage<ConfigError>(HasSubstr("Tarsier sees every frame as 30x30")));
}

TEST(LlamaDecoderConfig, AbsentKeysTakeLlamasDefaults) {
  const DecoderConfig config =
      llama_decoder_config(parse_json("{}", "config.json", JsonOwner::checkpoint));
  EXPECT_EQ(config.hidden_size, 4096);
  EXPECT_EQ(config.intermediate_size, 11008);
  EXPECT_EQ(config.layers, 32);
  EXPECT_EQ(config.kv_heads, 32);
  EXPECT_EQ(config.head_dim, 128);
  EXPECT_EQ(config.rope_theta, 1e4);
  EXPECT_FALSE(config.qkv_bias);
  EXPECT_TRUE(config.mrope_section.empty());
}

}  // namespace
}  // namespace tarsier
