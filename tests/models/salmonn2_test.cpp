// video-SALMONN 2: what parity with the fixtures does not show.

#include "tarsier/models/salmonn2.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/models/llava_encoder.h"
#include "tarsier/models/registry.h"
#include "tarsier/models/salmonn2_settings.h"
#include "tarsier/models/towers/sinusoids.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Edit = std::function<void(json&)>;

fs::path fixture(const std::string& name = "salmonn2") {
  return fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / name;
}

void edit_json(const fs::path& file, const Edit& edit) {
  json document = json::object();
  if (fs::exists(file)) {
    std::ifstream in(file);
    document = json::parse(in);
  }
  edit(document);
  std::ofstream(file) << document.dump(1);
}

fs::path copy_of(const std::string& name) {
  const fs::path folder =
      fs::path(testing::TempDir()) /
      (std::string("salmonn2_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  fs::remove_all(folder);
  fs::copy(fixture(name), folder, fs::copy_options::recursive);
  return folder;
}

fs::path with_config(const Edit& edit, const std::string& name = "salmonn2") {
  const fs::path folder = copy_of(name);
  edit_json(folder / "config.json", edit);
  return folder;
}

fs::path with_settings(const Edit& edit, const std::string& name = "salmonn2") {
  const fs::path folder = copy_of(name);
  edit_json(folder / kSalmonn2SettingsFile, edit);
  return folder;
}

/// The tensors of a checkpoint under new names; those without one are left out.
void copy_tensors(const fs::path& from, const fs::path& to,
                  const std::function<std::string(const std::string&)>& renamed) {
  const Checkpoint checkpoint = Checkpoint::open(from);
  std::vector<TensorView> views;
  for (const auto& [name, view] : checkpoint.tensors()) {
    TensorView copy = view;
    copy.name = renamed(name);
    if (!copy.name.empty()) views.push_back(copy);
  }
  const fs::path fresh = to / "fresh.safetensors";
  write_safetensors(fresh, views, {{"format", "pt"}});
  fs::rename(fresh, to / "model.safetensors");
}

std::string without_whisper(const std::string& name) {
  return name.starts_with("speech_encoder.") ? "" : name;
}

std::string without_sound(const std::string& name) {
  for (const char* start : {"speech_", "ln_speech.", "final_linear."})
    if (name.starts_with(start)) return "";
  return name;
}

void expect_refusal(const fs::path& folder, const char* what, const LoadOptions& options = {}) {
  EXPECT_THAT([&] { load_model(folder, options); },
              ThrowsMessage<CheckpointError>(HasSubstr(what)));
}

std::shared_ptr<const Sound> silence(std::size_t samples) {
  return std::make_shared<const Sound>(Sound{std::vector<float>(samples)});
}

std::shared_ptr<Pictures> video(std::int64_t frames, double seconds) {
  auto pictures = std::make_shared<Pictures>();
  pictures->seconds = seconds;
  for (std::int64_t i = 0; i < frames; ++i)
    pictures->frames.push_back({i, 0.0, 4, 4, std::vector<std::uint8_t>(48, 99)});
  return pictures;
}

Conversation about(std::shared_ptr<const Pictures> pictures, const std::string& words = "What?") {
  return {{"user", {Part{words, nullptr}, Part{{}, std::move(pictures)}}}};
}

void expect_input_error(const VideoLanguageModel& model, const Conversation& conversation,
                        const char* what) {
  EXPECT_THAT([&] { model.prepare(conversation); }, ThrowsMessage<InputError>(HasSubstr(what)));
}

std::vector<std::string> spellings(const VideoLanguageModel& model,
                                   std::span<const std::int64_t> ids) {
  std::vector<std::string> result;
  for (const std::int64_t id : ids) result.emplace_back(model.tokenizer().spelling_of(id));
  return result;
}

TEST(Salmonn2, IsKnownByItsKeysNotByItsModelType) {
  const fs::path folder = with_config([](json& c) { c.erase("model_type"); });
  EXPECT_EQ(load_model(folder)->info().family, "salmonn2");
  EXPECT_TRUE(load_model(folder)->info().hears);
  EXPECT_EQ(load_model(fixture("llava_onevision"))->info().family, "llava_onevision");
  EXPECT_FALSE(load_model(fixture("llava_onevision"))->info().hears);
  // Trap 27: upstream generates from embeddings, so a penalty counts the answer's ids alone.
  EXPECT_FALSE(load_model(fixture("salmonn2"))->generation().penalize_prompt);
  EXPECT_FALSE(load_model(fixture("llava_onevision"))->generation().penalize_prompt);
}

// Without a settings file, weights for sound say what it is. The towers' sizes are the released
// ones then, which this tiny file has not.
TEST(Salmonn2, WeightsForSoundMakeItVideoSalmonn) {
  const fs::path folder = copy_of("salmonn2");
  fs::remove(folder / kSalmonn2SettingsFile);
  expect_refusal(folder, "speech_encoder");
}

// Traps 3 and 4: 182 tokens a frame, not the 196 that the base model's config.json would give.
TEST(Salmonn2, TheReleasedRecipe) {
  const JsonView config = parse_json("{}", "config.json", JsonOwner::checkpoint);
  const Salmonn2Settings settings = read_salmonn2_settings("/nowhere", config);
  EXPECT_EQ(settings.max_frames(), 110);
  EXPECT_EQ(settings.fps, 1);
  EXPECT_EQ(settings.qformer.window(1500), 25);
  EXPECT_EQ(settings.qformer.windows(1500), 60);
  EXPECT_EQ(settings.qformer.width, 768);
  EXPECT_EQ(settings.qformer.intermediate, 3072);
  EXPECT_EQ(settings.whisper_config.layers, 32);
  EXPECT_TRUE(settings.final_linear);
  EXPECT_TRUE(settings.time_words);
  EXPECT_FALSE(settings.hears.has_value());
  EXPECT_EQ(settings.max_tokens, 32768);
  LlavaEncoderConfig encoder;
  EXPECT_EQ(encoder.tokens_per_frame(), 182);
  EXPECT_EQ(encoder.closing_tokens(), 0);
  encoder.pool = LlavaEncoderConfig::Pool::bilinear;
  EXPECT_EQ(encoder.tokens_per_frame(), 196);
  EXPECT_EQ(encoder.closing_tokens(), 1);
}

TEST(Salmonn2, RefusesAConfigThatContradictsTheRecipe) {
  expect_refusal(with_config([](json& c) { c["mm_spatial_pool_mode"] = "bilinear"; }),
                 "config.json: mm_spatial_pool_mode: is \"bilinear\", but video-SALMONN 2 is run "
                 "with \"max\"; if the checkpoint was trained with the latter, say so in "
                 "salmonn2_config.json");
  expect_refusal(with_config([](json& c) { c["mm_newline_position"] = "one_token"; }),
                 "mm_newline_position: is \"one_token\", but");
  expect_refusal(with_config([](json& c) { c["second_per_window"] = 0.333333; }),
                 "second_per_window: is 0.333333, but video-SALMONN 2 is run with 0.5");
  expect_refusal(with_config([](json& c) { c["use_final_linear"] = false; }),
                 "use_final_linear: is false, but");
  const fs::path agreed = with_config([](json& c) { c["mm_spatial_pool_mode"] = "max"; });
  EXPECT_EQ(load_model(agreed)->info().family, "salmonn2");
}

TEST(Salmonn2, SaysWhatItsSettingsCannotBe) {
  const auto refused = [](const char* key, const json& value, const char* what) {
    expect_refusal(with_settings([&](json& s) { s[key] = value; }), what);
  };
  refused("second_per_windows", 0.5,
          "salmonn2_config.json: second_per_windows: is not a setting of video-SALMONN 2");
  refused(
      "mm_spatial_pool_mode", "average",
      "mm_spatial_pool_mode: is \"average\", which is not supported; video-SALMONN 2 has \"max\"");
  refused("mm_spatial_pool_stride", 3, "mm_spatial_pool_stride: is 3, which is not supported");
  refused("mm_pooling_position", "before", "mm_pooling_position: is \"before\"");
  refused("mm_newline_position", "frame", "mm_newline_position: is \"frame\"");
  refused("window_level_Qformer", false, "window_level_Qformer: is false");
  refused("second_stride", 31,
          "second_stride: is 31, expected 0.02 to 30; the released recipe has 0.5");
  refused("video_fps", 0, "video_fps: is 0, expected 0.01 to 1000");
  refused("max_time", "long", "max_time: is a string");
  refused("audio_config", json{{"num_mel_bins", 80}},
          "audio_config: asks for 80 x 3000 numbers of 30 s of sound, which become 128 x 3000");
  refused("audio_config", json{{"qformer_config", {{"encoder_width", 7}}}},
          "audio_config: qformer_config.encoder_width is 7, d_model 1280");
}

TEST(Salmonn2, IsNotTrainedYet) {
  LoadOptions options;
  options.trainable = true;
  EXPECT_THAT([&] { load_model(fixture(), options); },
              ThrowsMessage<ConfigError>(HasSubstr("video-SALMONN 2 cannot be trained yet")));
}

// Traps 8 and 6, T5: a silent clip has its times, padded to the longest; with sound it has none.
TEST(Salmonn2, TimesStandBehindTheFramesOfSilentVideosAlone) {
  const auto model = load_model(fixture());
  const auto silent = video(4, 10);
  const SeenMedia seen = model->plan_media(about(silent)).front();
  EXPECT_EQ(seen.tokens, 4 * (6 + 4));  // "2.5" ... "10.0"
  const ModelInputs inputs = model->prepare(about(silent));
  EXPECT_EQ(inputs.prompt.spans.front().length, 40);
  const auto& words = inputs.media.layout.front().frame_words;
  EXPECT_THAT(spellings(*model, words.front()), ElementsAre("2", ".", "5"));
  EXPECT_THAT(spellings(*model, words.back()), ElementsAre("1", "0", ".", "0"));
  const at::NoGradGuard no_gradients;
  const Tensor rows = model->encode(inputs.media).view({4, 10, -1});
  EXPECT_EQ(rows.slice(0, 0, 3).select(1, 9).abs().max().item<float>(), 0);
  EXPECT_GT(rows[3][9].abs().max().item<float>(), 0);

  auto sounding = video(4, 10);
  sounding->sound = silence(160'000);
  EXPECT_EQ(model->plan_media(about(sounding)).front().tokens, 4 * 6 + 60);
  EXPECT_TRUE(model->prepare(about(sounding)).media.layout.front().frame_words.empty());
}

// Trap 41: a clip of 180 s has 110 frames and all of its sound.
TEST(Salmonn2, SoundIsNotCutToTheFrames) {
  const auto model = load_model(fixture());
  auto clip = video(110, 180);
  clip->sound = silence(190 * 16'000);
  const SeenMedia seen = model->plan_media(about(clip)).front();
  EXPECT_EQ(seen.mel_chunks, 6);
  EXPECT_EQ(seen.tokens, 110 * (6 + 4));
}

// Trap 14: a short last chunk counts whole. Sound alone ends at max_time.
TEST(Salmonn2, SoundAloneIsHeardUpToMaxTime) {
  const auto model = load_model(fixture());
  auto sound = std::make_shared<Pictures>();
  sound->modality = Modality::audio;
  sound->sound = silence(1);
  EXPECT_EQ(model->plan_media(about(sound)).front().tokens, 60);
  sound->sound = silence(200 * 16'000);
  EXPECT_EQ(model->plan_media(about(sound)).front().tokens, 240);
}

// Traps 29 and 30, 4.1: one slot first in its message, two line breaks behind it, whatever the
// medium and wherever it was.
TEST(Salmonn2, APromptIsMadeOfPieces) {
  const auto model = load_model(fixture());
  const Tokenizer& tokenizer = model->tokenizer();
  auto sound = std::make_shared<Pictures>();
  sound->modality = Modality::audio;
  sound->sound = silence(16'000);
  const Prompt prompt = model->prepare(about(sound, "\nWhat <image>?")).prompt;
  const std::int64_t line = tokenizer.encode("\n").at(0);
  std::vector<std::int64_t> expected = tokenizer.encode(
      "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n");
  ASSERT_EQ(prompt.spans.size(), 1U);
  EXPECT_EQ(prompt.spans[0].begin, static_cast<std::int64_t>(expected.size()));
  EXPECT_EQ(prompt.spans[0].length, 60);
  expected.insert(expected.end(), 60, 0);
  expected.push_back(line);
  for (const char* piece : {"\n\nWhat <image>?", "<|im_end|>\n<|im_start|>assistant\n"}) {
    const auto ids = tokenizer.encode(piece);
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(prompt.tokens, expected);
}

TEST(Salmonn2, SaysWhatItDoesNotTake) {
  const auto model = load_model(fixture());
  auto image = video(1, 0);
  image->modality = Modality::image;
  expect_input_error(*model, about(image),
                     "prompt: holds an image, which video-SALMONN 2 does not take");
  expect_input_error(*model, about(video(1, 1)),
                     "video-SALMONN 2: needs a video of at least 2 frames, this one has 1");
  Conversation two = about(video(2, 2));
  two.front().parts.push_back({{}, video(2, 2)});
  expect_input_error(*model, two, "holds 2 images and videos, video-SALMONN 2 takes one");
  expect_input_error(*model, about(video(4000, 4000)), "the model takes at most 32768");
}

// Trap 47: the eyes alone of a checkpoint that has ears, and of one that has none.
TEST(Salmonn2, SeesWithoutEars) {
  const auto deaf = load_model(with_settings([](json& s) { s["audio_visual"] = false; }));
  EXPECT_FALSE(deaf->info().hears);
  auto clip = video(2, 2);
  clip->sound = silence(32'000);
  EXPECT_EQ(deaf->plan_media(about(clip)).front().tokens, 2 * (6 + 3));

  const fs::path folder = copy_of("salmonn2");
  copy_tensors(fixture(), folder, without_sound);
  const auto earless = load_model(folder);
  EXPECT_FALSE(earless->info().hears);
  edit_json(folder / kSalmonn2SettingsFile, [](json& s) { s["audio_visual"] = true; });
  expect_refusal(folder, "tensors missing");
}

TEST(Salmonn2, BorrowsWhisper) {
  const fs::path folder = copy_of("salmonn2");
  copy_tensors(fixture(), folder, without_whisper);
  expect_refusal(
      folder,
      "model.safetensors: holds no speech_encoder.*, Whisper's encoder; name a folder of "
      "whisper-large-v3 as whisper_directory in salmonn2_config.json, or set audio_visual "
      "to false there");
  edit_json(folder / kSalmonn2SettingsFile, [](json& s) { s["whisper_directory"] = "whisper"; });
  expect_refusal(folder, "salmonn2_config.json: whisper_directory: ");
  fs::create_directory(folder / "whisper");
  copy_tensors(fixture(), folder / "whisper", [](const std::string& name) -> std::string {
    if (name == "lm_head.weight") return "proj_out.weight";
    if (name == "model.norm.weight") return "model.decoder.layer_norm.weight";
    return name.starts_with("speech_encoder.") ? "model.encoder." + name.substr(15) : "";
  });
  const at::NoGradGuard no_gradients;
  auto clip = video(2, 2);
  clip->sound = silence(32'000);
  const MediaInputs media = load_model(fixture())->prepare(about(clip)).media;
  EXPECT_TRUE(at::equal(load_model(folder)->encode(media), load_model(fixture())->encode(media)));
}

// Bounded memory changes nothing: in one piece, as a sink asks for, and a few at a time.
TEST(Salmonn2, PiecesGiveWhatTheWholeGives) {
  const at::NoGradGuard no_gradients;
  const auto model = load_model(fixture());
  auto clip = video(21, 170);
  auto sound = std::make_shared<Sound>();
  for (std::int64_t i = 0; i < 170 * 16'000; ++i)
    sound->samples.push_back(static_cast<float>(i * i % 1999) / 4000);
  clip->sound = sound;
  for (Frame& frame : clip->frames)
    frame.rgb.assign(48, static_cast<std::uint8_t>(7 * frame.index));
  const MediaInputs media = model->prepare(about(clip)).media;
  const Tensor whole = model->encode(media, [](const std::string&, const Tensor&) {});
  EXPECT_LE((model->encode(media) - whole).abs().max().item<double>(), 1e-5);
}

TEST(Salmonn2, CountsItsArithmetic) {
  const auto model = load_model(fixture());
  auto clip = video(5, 5);
  const double silent = model->encode_flops(model->prepare(about(clip)).media);
  clip->sound = silence(80'000);
  const double both = model->encode_flops(model->prepare(about(clip)).media);
  const SeenMedia seen = model->plan_media(about(clip)).front();
  EXPECT_GT(both, silent);
  EXPECT_DOUBLE_EQ(model->encode_cost(seen, 4).flops, both);
  EXPECT_GT(model->encode_cost(seen, 4).activation_bytes, 0);
}

TEST(Salmonn2, SavesUnderItsPublishedNames) {
  const auto model = load_model(fixture("salmonn2_wide"));
  const fs::path folder = copy_of("salmonn2_wide");
  fs::remove(folder / "model.safetensors");
  save_weights(*model, folder, at::kFloat);
  const Checkpoint saved = Checkpoint::open(folder),
                   first = Checkpoint::open(fixture("salmonn2_wide"));
  ASSERT_EQ(saved.tensors().size(), first.tensors().size());
  for (const auto& [name, view] : first.tensors()) EXPECT_NE(saved.find(name), nullptr) << name;
}

// T7: an odd last row and column are left out.
TEST(PoolPatches, TakesTheLargestOfFour) {
  const Tensor ramp = at::arange(25, at::kFloat).view({1, 25, 1});
  const Tensor pooled = pool_patches(ramp, LlavaEncoderConfig::Pool::max_with_rows);
  EXPECT_TRUE(at::equal(pooled, at::tensor({6.0F, 8.0F, 16.0F, 18.0F}).view({1, 2, 2, 1})));
  EXPECT_EQ(pool_patches(ramp, LlavaEncoderConfig::Pool::bilinear).sizes(),
            (std::vector<std::int64_t>{1, 3, 3, 1}));
}

// Trap 9, T6.
TEST(ChunkPositions, BeginWithARowOfZeros) {
  const Tensor table = chunk_positions(4, 4);
  EXPECT_EQ(table[0].abs().max().item<float>(), 0);
  EXPECT_TRUE(at::allclose(table[1], at::tensor({0.0F, 1.0F, 0.0F, 1.0F})));
  EXPECT_TRUE(at::allclose(table[2], at::tensor({0.841471F, 0.540302F, 0.0099998F, 0.99995F})));
  EXPECT_TRUE(at::allclose(table[3], at::tensor({0.909297F, -0.416147F, 0.0199987F, 0.9998F})));
}

// Trap 12: what video-SALMONN 2 has and 2+ has not.
TEST(SalmonnEars, HaveANormAndAFinalLinear) {
  const auto names = [](bool final_linear) {
    SalmonnEarsConfig config;
    config.whisper.layers = 32;
    config.final_linear = final_linear;
    SalmonnEars ears(config);
    std::vector<std::string> found;
    const TensorVisitor visitor = [&](const std::string& name, Tensor&) { found.push_back(name); };
    ears.visit(Scope(visitor));
    return found;
  };
  EXPECT_THAT(names(true), testing::IsSupersetOf({"ln_speech.weight", "final_linear.0.weight",
                                                  "final_linear.2.bias", "speech_query_tokens",
                                                  "speech_llama_proj.bias"}));
  EXPECT_EQ(names(true).size(), names(false).size() + 4);
  // Trap 10: of 32 layers no key has a bias.
  EXPECT_EQ(std::ranges::count_if(
                names(true), [](const std::string& name) { return name.ends_with("k_proj.bias"); }),
            0);
  EXPECT_EQ(
      std::ranges::count_if(
          names(true), [](const std::string& name) { return name.ends_with("k_proj.weight"); }),
      32);
}

}  // namespace
}  // namespace tarsier
