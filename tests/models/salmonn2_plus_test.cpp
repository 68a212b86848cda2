// video-SALMONN 2+ and plain Qwen2.5-VL: what parity with the fixtures does not show.

#include "tarsier/models/salmonn2_plus.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/models/qwen2_5_vl.h"
#include "tarsier/models/qwen2_5_vl_encoder.h"
#include "tarsier/models/registry.h"
#include "tarsier/text/tokenizer.h"
#include "tests/models/tower_fixture.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Each;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

fs::path fixture(const char* name = "salmonn2_plus") {
  return fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / name;
}

void edit_json(const fs::path& file, const std::function<void(nlohmann::json&)>& edit) {
  std::ifstream in(file);
  nlohmann::json json = nlohmann::json::parse(in);
  in.close();
  edit(json);
  std::ofstream(file) << json.dump(1);
}

fs::path copy_with(const std::function<void(nlohmann::json&)>& edit,
                   const char* file = "config.json", const char* name = "salmonn2_plus") {
  const fs::path folder =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::copy(fixture(name), folder, fs::copy_options::recursive);
  edit_json(folder / file, edit);
  return folder;
}

void expect_refusal(const std::function<void(nlohmann::json&)>& edit, const char* what) {
  const fs::path folder = copy_with(edit);
  EXPECT_THAT([&] { load_model(folder); }, ThrowsMessage<CheckpointError>(HasSubstr(what)));
}

std::shared_ptr<Pictures> clip(std::int64_t frames, Size size, std::int64_t samples = 0) {
  auto pictures = std::make_shared<Pictures>();
  pictures->modality = frames > 0 ? Modality::video : Modality::audio;
  pictures->seconds = 2;
  for (std::int64_t i = 0; i < frames; ++i) {
    const auto grey = static_cast<std::uint8_t>(40 * i + 20);
    pictures->frames.push_back(
        {i, 0.0, size.height, size.width,
         std::vector<std::uint8_t>(static_cast<std::size_t>(3 * size.height * size.width), grey)});
  }
  if (samples > 0) {
    Sound sound;
    for (std::int64_t i = 0; i < samples; ++i)
      sound.samples.push_back(static_cast<float>(i % 37) / 64);
    pictures->sound = std::make_shared<const Sound>(std::move(sound));
  }
  return pictures;
}

Conversation about(std::shared_ptr<const Pictures> media, const std::string& words = "What?") {
  return {{"user", {Part{{}, std::move(media)}, Part{words, nullptr}}}};
}

std::vector<std::string> names_of(VideoLanguageModel& model) {
  std::vector<std::string> names;
  const TensorVisitor keep = [&](const std::string& name, Tensor&) { names.push_back(name); };
  model.visit(Scope(keep));
  return names;
}

TEST(Salmonn2Plus, SaysWhatItIs) {
  const auto model = load_model(fixture());
  EXPECT_EQ(model->info().family, "salmonn2_plus");
  EXPECT_TRUE(model->info().hears);
  EXPECT_EQ(model->generation().repetition_penalty, 1.05);
  EXPECT_TRUE(model->generation().penalize_prompt);  // trap 27; video-SALMONN 2's does not
  EXPECT_EQ(model->sampling().kind, SamplingRule::Kind::salmonn2_plus);
  EXPECT_EQ(model->sampling().max_frames, 16);
  EXPECT_EQ(load_model(fixture("qwen2_5_vl"))->info().family, "qwen2_5_vl");
  EXPECT_FALSE(load_model(fixture("qwen2_5_vl"))->info().hears);
}

// models-video-salmonn-2.md 4.1, with the tiny vocabulary's ids.
TEST(Salmonn2Plus, APromptIsAsTrained) {
  const auto model = load_model(fixture());
  const Tokenizer& tokenizer = model->tokenizer();
  const auto of = [&](const std::string& text) { return tokenizer.encode(text); };
  const Prompt prompt = model->prepare(about(clip(0, {}, 16'000))).prompt;
  std::vector<std::int64_t> expected =
      of("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
         "<|vision_start|>");
  expected.insert(expected.end(), 60, 322);
  const auto rest = of("<|vision_end|>\nWhat?<|im_end|>\n<|im_start|>assistant\n");
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_THAT(prompt.tokens, ElementsAreArray(expected));
  EXPECT_EQ(tokenizer.vocab_size(), 320);  // the placeholder of sound is not one of its tokens
  // Words that look like a placeholder stay words.
  const Prompt quoted = model->prepare(about(clip(2, {28, 28}), "<|video_pad|>")).prompt;
  EXPECT_EQ(std::ranges::count(quoted.tokens, 319), 1);
}

// Trap 1: the mode comes from processor_config.json; as trained is the default.
TEST(Salmonn2Plus, PositionsAreAsTrainedUnlessAskedOtherwise) {
  const Conversation conversation = about(clip(8, {56, 56}, 16'000));
  const Prompt trained = load_model(fixture())->prepare(conversation).prompt;
  const fs::path upstream = copy_with(
      [](nlohmann::json& json) { json["salmonn2_plus"]["positions"] = "upstream_generate"; },
      "processor_config.json");
  const Prompt generated = load_model(upstream)->prepare(conversation).prompt;
  EXPECT_EQ(trained.tokens, generated.tokens);
  EXPECT_FALSE(at::equal(trained.positions, generated.positions));
  const fs::path plain =
      copy_with([](nlohmann::json& json) { json["salmonn2_plus"].erase("positions"); },
                "processor_config.json", "salmonn2_plus_tied");
  const Prompt by_default = load_model(plain)->prepare(conversation).prompt;
  EXPECT_EQ(by_default.positions[0].max().item<std::int64_t>(), by_default.next_position - 1);
  EXPECT_LT(by_default.next_position, static_cast<std::int64_t>(by_default.tokens.size()));
}

// Trap 12, and what the ear is made of.
TEST(Salmonn2Plus, TheEarHasNoPartsOfTheFirstGeneration) {
  const auto model = load_model(fixture());
  const auto names = names_of(*model);
  EXPECT_THAT(names, Contains("audio.q_tokens"));
  EXPECT_THAT(names, Contains("audio.audio_proj.bias"));
  EXPECT_THAT(names, Contains("audio.qformer.bert.embeddings.LayerNorm.weight"));
  EXPECT_THAT(names, Contains("audio.layers.1.self_attn.k_proj.weight"));
  EXPECT_THAT(names, Not(Contains("audio.layers.1.self_attn.k_proj.bias")));
  EXPECT_THAT(names, Each(Not(HasSubstr("ln_speech"))));
  EXPECT_THAT(names, Each(Not(HasSubstr("final_linear"))));
}

TEST(Salmonn2Plus, WithoutSoundItSeesAlone) {
  LoadOptions options;
  options.without_sound = true;
  const auto deaf = load_model(fixture(), options);
  EXPECT_FALSE(deaf->info().hears);
  EXPECT_THAT(names_of(*deaf), Each(Not(StartsWith("audio."))));
  const auto whole = load_model(fixture());
  const at::NoGradGuard no_gradients;
  const Conversation silent = about(clip(4, {56, 84}));
  EXPECT_TRUE(at::equal(deaf->encode(deaf->prepare(silent).media),
                        whole->encode(whole->prepare(silent).media)));
  const Conversation loud = about(clip(4, {56, 84}, 16'000));
  EXPECT_EQ(deaf->prepare(loud).prompt.tokens, whole->prepare(silent).prompt.tokens);
  EXPECT_THAT([&] { deaf->prepare(about(clip(0, {}, 16'000))); },
              ThrowsMessage<InputError>(HasSubstr("was given to a model that does not hear")));
  const auto plain = load_model(fixture("qwen2_5_vl"));
  EXPECT_THAT([&] { plain->prepare(about(clip(0, {}, 16'000))); },
              ThrowsMessage<InputError>(HasSubstr("holds sound, which Qwen2.5-VL does not take")));
}

TEST(Salmonn2Plus, RowsOfSoundStandBehindTheirSlice) {
  const at::NoGradGuard no_gradients;
  const auto model = load_model(fixture());
  const MediaInputs heard = model->prepare(about(clip(8, {56, 56}, 16'000))).media;
  const Tensor rows = model->encode(heard);
  const Tensor seen = model->encode(model->prepare(about(clip(8, {56, 56}))).media);
  std::int64_t row = 0, picture = 0;
  for (const MediaRun& run : heard.layout.at(0).runs) {
    if (run.modality == Modality::video) {
      EXPECT_TRUE(at::equal(rows.slice(0, row, row + run.tokens),
                            seen.slice(0, picture, picture + run.tokens)));
      picture += run.tokens;
    }
    row += run.tokens;
  }
  EXPECT_EQ(row, rows.size(0));
  EXPECT_EQ(picture, seen.size(0));
}

TEST(Salmonn2Plus, CostsAreThoseOfItsParts) {
  const auto model = load_model(fixture());
  const Conversation conversation = about(clip(8, {56, 56}, 600'000));
  const SeenMedia seen = model->plan_media(conversation).at(0);
  const EncodeCost cost = model->encode_cost(seen, 4);
  EXPECT_DOUBLE_EQ(cost.flops, model->encode_flops(model->prepare(conversation).media));
  EXPECT_GT(cost.input_bytes, 2 * 128 * 3000 * 4);
  EXPECT_GT(cost.activation_bytes, 0);
  EXPECT_EQ(model->encode_flops({}), 0);
}

// Trap 43 is in the fixture; trap 44's switch is in the processors' tests.
TEST(Salmonn2Plus, SavesUnderPublishedNames) {
  const auto model = load_model(fixture());
  const fs::path folder = copy_with([](nlohmann::json&) {});
  save_weights(*model, folder, at::kFloat);
  const auto again = load_model(folder);
  EXPECT_EQ(names_of(*again), names_of(*model));
}

TEST(Salmonn2Plus, SaysWhatItsFilesCannotBe) {
  expect_refusal([](nlohmann::json& c) { c["audio_config"]["num_mel_bins"] = 80; },
                 "config.json: audio_config: num_mel_bins is 80, expected 128; sound is heard as "
                 "Whisper large-v3 hears it");
  expect_refusal([](nlohmann::json& c) { c["audio_config"]["max_source_positions"] = 750; },
                 "audio_config: max_source_positions is 750, expected 1500; sound is heard in "
                 "chunks of 30 s");
  expect_refusal(
      [](nlohmann::json& c) { c["audio_config"]["qformer_config"]["encoder_width"] = 9; },
      "audio_config: qformer_config.encoder_width is 9, expected 12");
  expect_refusal([](nlohmann::json& c) { c["audio_token_id"] = 328; },
                 "config.json: audio_token_id");
  expect_refusal([](nlohmann::json& c) { c.erase("audio_token_id"); },
                 "config.json: audio_token_id");  // the published one lies outside this vocabulary
  expect_refusal([](nlohmann::json& c) { c.erase("audio_config"); },
                 "tensors that the model has no place for: audio.");
  const fs::path other =
      copy_with([](nlohmann::json& json) { json["patch_size"] = 16; }, "preprocessor_config.json");
  EXPECT_THAT([&] { load_model(other); }, ThrowsMessage<CheckpointError>(HasSubstr(
                                              "preprocessor_config.json: patch_size: is 16, but "
                                              "the vision tower of config.json has 14")));
}

TEST(Salmonn2Plus, LimitsOfPixels) {
  const auto refusal = [](const char* name, std::int64_t pixels, const char* what) {
    LoadOptions options;
    options.max_pixels = pixels;
    EXPECT_THAT([&] { load_model(fixture(name), options); },
                ThrowsMessage<ConfigError>(HasSubstr(what)));
  };
  refusal("salmonn2_plus", 783, "--max-pixels: 783 is below the");
  refusal("qwen2_5_vl", 8600, "--max-pixels: 8600 is below the 8601 the model needs; give more");
  LoadOptions options;
  options.max_pixels = 9'000;
  const auto model = load_model(fixture("qwen2_5_vl"), options);
  const SeenMedia seen = model->plan_media(about(clip(2, {200, 300}))).at(0);
  EXPECT_LE(seen.resized.height * seen.resized.width, 9'000);
}

/// Published shapes on the meta device (models-video-salmonn-2.md 1.2, 1.3).
struct Published {
  const char* config;
  std::int64_t decoder, vision, projection, total;
};

// Traps 24 - 26: a tied head, a wider tower, keys that the files leave out or spell otherwise.
TEST(Salmonn2Plus, PublishedSizes) {
  const char* const shared = R"("rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
      "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
      "max_position_embeddings": 128000, "audio_config": {}, )";
  const Published sizes[] = {
      {R"("hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16,
          "num_key_value_heads": 2, "intermediate_size": 11008, "vocab_size": 151936,
          "tie_word_embeddings": true, "vision_config": {"out_hidden_size": 2048, "in_chans": 3,
          "spatial_patch_size": 14, "tokens_per_second": 2, "hidden_size": 1280}})",
       3'085'938'688, 668'684'288, 6'293'504, 4'678'000'000},
      {R"("hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28,
          "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064,
          "tie_word_embeddings": false, "vision_config": {"out_hidden_size": 3584, "in_chans": 3,
          "spatial_patch_size": 14, "tokens_per_second": 2, "hidden_size": 1280}})",
       7'615'616'512, 676'550'144, 11'013'632, 9'220'000'000},
      {R"("hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
          "num_key_value_heads": 8, "intermediate_size": 29568, "vocab_size": 152064,
          "tie_word_embeddings": false, "vision_config": {"out_hidden_size": 8192, "in_chans": 3,
          "intermediate_size": 3456, "spatial_patch_size": 14, "tokens_per_second": 2,
          "hidden_size": 1280}})",
       72'706'203'648, 704'573'696, 25'174'016, 74'350'000'000}};
  for (const Published& published : sizes) {
    const JsonView config = parse_json(std::string("{") + shared + published.config, "config.json",
                                       JsonOwner::checkpoint);
    const Qwen2_5VlParts parts = qwen2_5_vl_parts(config);
    const auto hearing = hearing_config(config.at("audio_config"));
    EXPECT_EQ(hearing.tokens_per_chunk(), 60);
    CausalDecoder decoder(parts.decoder);
    EXPECT_EQ(parameters_of(decoder), published.decoder);
    const auto seeing = qwen2_5_vl_encoder(parts.vision, std::nullopt);
    EXPECT_EQ(parameters_of(*seeing), published.vision);
    const auto whole = qwen2_5_vl_encoder(parts.vision, hearing);
    EXPECT_EQ(parameters_of(*whole) - published.vision,
              636'968'960 + 280'095'744 + published.projection);
    const std::int64_t total = parameters_of(decoder) + parameters_of(*whole);
    EXPECT_NEAR(static_cast<double>(total), static_cast<double>(published.total),
                5e6 + 1e-4 * 7e10);
  }
}

}  // namespace
}  // namespace tarsier
