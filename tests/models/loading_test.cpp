#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/qwen2_vl_encoder.h"
#include "tarsier/models/registry.h"
#include "tarsier/nn/int8_weight.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

fs::path copy_of(const std::string& fixture) {
  const fs::path folder = fs::path(::testing::TempDir()) /
                          ("tarsier_models_" + std::to_string(::getpid()) + "_" + fixture);
  fs::remove_all(folder);
  fs::copy(fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / fixture, folder);
  return folder;
}

std::string refusal(const fs::path& folder) {
  try {
    load_model(folder);
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "no CheckpointError";
}

void edit_config(const fs::path& folder, const std::function<void(nlohmann::json&)>& edit) {
  std::ifstream stream(folder / "config.json");
  nlohmann::json config = nlohmann::json::parse(stream);
  edit(config);
  std::ofstream(folder / "config.json") << config.dump(1);
}

TEST(Loading, ChoosesTheFamilyByModelType) {
  EXPECT_EQ(load_model(copy_of("untied"))->info().family, "qwen2_vl");
  EXPECT_EQ(load_model(copy_of("tarsier2"))->info().family, "tarsier2");
  EXPECT_EQ(load_model(copy_of("tarsier"))->info().family, "tarsier");
  const fs::path folder = copy_of("untied");
  edit_config(folder, [](nlohmann::json& config) { config["model_type"] = "blip"; });
  EXPECT_EQ(refusal(folder),
            "config.json: model_type: 'blip' is not supported; supported: qwen2_vl, qwen2_5_vl "
            "(Qwen2.5-VL, video-SALMONN 2+), llava (Tarsier, Tarsier2), and LlavaQwen by its "
            "mm_vision_tower and mm_projector_type (video-SALMONN 2, LLaVA-OneVision)");
  const fs::path other = copy_of("tarsier2");
  edit_config(other, [](nlohmann::json& config) { config["text_config"]["model_type"] = "gpt"; });
  EXPECT_EQ(refusal(other),
            "config.json: text_config.model_type: 'gpt' is not supported; supported with llava: "
            "llama (Tarsier), qwen2_vl (Tarsier2)");
}

TEST(Loading, NamesWhatIsMissing) {
  EXPECT_NE(refusal("/no/such/model").find("is not a model directory"), std::string::npos);
  const fs::path folder = copy_of("deep_sharded");
  fs::remove(folder / "model-00002-of-00003.safetensors");
  EXPECT_NE(refusal(folder).find("model-00002-of-00003.safetensors"), std::string::npos);
  const fs::path deeper = copy_of("untied");
  edit_config(deeper, [](nlohmann::json& config) {
    config["num_hidden_layers"] = config["num_hidden_layers"].get<int>() + 1;
  });
  EXPECT_NE(refusal(deeper).find("of the model's tensors missing: model.layers."),
            std::string::npos);
  const fs::path shallower = copy_of("untied");
  edit_config(shallower, [](nlohmann::json& config) { config["num_hidden_layers"] = 1; });
  EXPECT_NE(refusal(shallower).find("tensors that the model has no place for"), std::string::npos);
}

TEST(Loading, NamesATensorOfWrongShapeWithTheLikelyCause) {
  const fs::path folder = copy_of("untied");
  edit_config(folder, [](nlohmann::json& config) {
    config["intermediate_size"] = config["intermediate_size"].get<int>() + 4;
  });
  const std::string message = refusal(folder);
  EXPECT_NE(message.find("model.safetensors: model.layers.0.mlp."), std::string::npos) << message;
  EXPECT_NE(message.find("expected ["), std::string::npos) << message;
  EXPECT_NE(message.find("intermediate_size"), std::string::npos) << message;
}

TEST(Loading, CutTokenizerIsNamed) {
  const fs::path folder = copy_of("untied");
  fs::resize_file(folder / "tokenizer.json", fs::file_size(folder / "tokenizer.json") / 2);
  EXPECT_NE(refusal(folder).find("tokenizer.json: is not valid JSON"), std::string::npos);
}

TEST(Loading, TiedHeadMayBeAbsentOnlyWhereTheConfigSaysSo) {
  const fs::path folder = copy_of("tied");
  EXPECT_NO_THROW(load_model(folder));
  edit_config(folder, [](nlohmann::json& config) {
    config["tie_word_embeddings"] = false;
    if (config.contains("text_config")) config["text_config"]["tie_word_embeddings"] = false;
  });
  EXPECT_NE(refusal(folder).find("lm_head.weight"), std::string::npos);
}

TEST(Loading, SavedWeightsLoadAgainUnderThePublishedNames) {
  const fs::path folder = copy_of("tarsier2");
  const auto before = load_model(folder);
  save_weights(*before, folder, at::kFloat);
  const SafetensorsFile saved(folder / "model.safetensors");
  EXPECT_TRUE(saved.tensors().contains("vision_tower.merger.ln_q.weight"));
  EXPECT_TRUE(saved.tensors().contains("language_model.model.embed_tokens.weight"));
  const auto after = load_model(folder);
  std::map<std::string, Tensor> weights;
  before->visit(Scope([&](const std::string& path, Tensor& tensor) { weights[path] = tensor; }));
  after->visit(Scope([&](const std::string& path, Tensor& tensor) {
    EXPECT_TRUE(at::equal(tensor, weights[path])) << path;
  }));
}

// Rounded from what the file has, whatever the rest is computed in; the file's own are written.
TEST(Loading, NamedMatricesAreKeptInEightBits) {
  const fs::path folder = copy_of("tarsier2");
  LoadOptions options;
  const auto whole = load_model(folder, options);
  options.dtype = at::kBFloat16;
  options.trainable = true;
  options.in_int8 = [](const std::string& path) { return path.starts_with("model.layers.1."); };
  const auto kept = load_model(folder, options);
  std::map<std::string, Tensor> weights;
  whole->visit(Scope([&](const std::string& path, Tensor& tensor) { weights[path] = tensor; }));
  std::int64_t matrices = 0;
  kept->visit(Scope([&](const std::string& path, Tensor& tensor) {
    const bool matrix = path.starts_with("model.layers.1.") && tensor.dim() == 2;
    matrices += matrix ? 1 : 0;
    EXPECT_EQ(is_int8(tensor), matrix) << path;
    EXPECT_EQ(tensor.requires_grad(), !matrix) << path;
    if (!matrix) return;
    const Tensor again = int8_weight(weights[path]);
    EXPECT_TRUE(at::equal(tensor, again)) << path;
    EXPECT_TRUE(at::equal(widened(tensor), widened(again))) << path;
  }));
  EXPECT_EQ(matrices, 7);
  const fs::path written = folder / "written";
  fs::create_directories(written);
  save_weights(*kept, written, at::kFloat, whole.get());
  const SafetensorsFile saved(written / "model.safetensors"), own(folder / "model.safetensors");
  for (const auto& [name, view] : saved.tensors()) {
    if (name.find("layers.1.mlp.up_proj") == std::string::npos) continue;
    EXPECT_TRUE(std::ranges::equal(view.bytes, own.tensors().at(name).bytes)) << name;
  }
  // Fresh weights too.
  options.random_weights = 5;
  options.dtype = at::kFloat;
  const auto fresh = load_model(folder, options);
  fresh->visit(Scope([&](const std::string& path, Tensor& tensor) {
    EXPECT_EQ(is_int8(tensor), path.starts_with("model.layers.1.") && tensor.dim() == 2) << path;
  }));
}

TEST(Loading, SixteenBitWeightsStayInTheMappedFile) {
  LoadOptions options;
  options.dtype = at::kBFloat16;
  const auto model = load_model(copy_of("bf16"), options);
  EXPECT_EQ(model->info().dtype, "bf16");
  EXPECT_EQ(model->decoder().embedding_weight().scalar_type(), at::kBFloat16);
}

TEST(Loading, FreshWeightsAreAFunctionOfTheSeed) {
  LoadOptions options;
  options.random_weights = 4;
  const fs::path folder = copy_of("untied");
  const Tensor a = load_model(folder, options)->decoder().embedding_weight(),
               b = load_model(folder, options)->decoder().embedding_weight();
  EXPECT_TRUE(at::equal(a, b));
  EXPECT_NEAR(a.std().item<double>(), 0.02, 0.002);
  options.random_weights = 5;
  EXPECT_FALSE(at::equal(a, load_model(folder, options)->decoder().embedding_weight()));
}

TEST(PositionsAfterMedia, FollowTheVersionThatWroteTheConfig) {
  const auto rule = [](const char* text) {
    return positions_after_media(parse_json(text, "config.json", JsonOwner::checkpoint));
  };
  EXPECT_EQ(rule(R"({"transformers_version": "4.47.0"})"), PositionsAfterMedia::longest_axis);
  EXPECT_EQ(rule(R"({})"), PositionsAfterMedia::longest_axis);
  EXPECT_EQ(rule(R"({"transformers_version": "5.0.0"})"), PositionsAfterMedia::picture_sides);
  EXPECT_EQ(rule(R"({"text_config": {"transformers_version": "5.23.0"}})"),
            PositionsAfterMedia::picture_sides);
  EXPECT_EQ(rule(R"({"transformers_version": "dev"})"), PositionsAfterMedia::longest_axis);
}

}  // namespace
}  // namespace tarsier
