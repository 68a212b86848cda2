#include "tarsier/models/registry.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <map>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/llava_onevision.h"
#include "tarsier/models/llava_qwen.h"
#include "tarsier/models/qwen2_5_vl.h"
#include "tarsier/models/qwen2_vl.h"
#include "tarsier/models/salmonn2.h"
#include "tarsier/models/salmonn2_plus.h"
#include "tarsier/models/tarsier.h"
#include "tarsier/models/tarsier2.h"
#include "tarsier/nn/int8_weight.h"
#include "tarsier/nn/lora.h"

namespace tarsier {
namespace {

struct FamilyRow {
  const char* model_type;  // config.json: model_type
  const char*
      text_model_type;  // config.json: text_config.model_type; "" when the family has no such key
  const char* key;      // a key of config.json that sets the family apart; "" when there is none
  Network (*network)(const std::filesystem::path&, const JsonView&);
  Family (*family)(const std::filesystem::path&, const JsonView&, const LoadOptions&);
};

/// Most families' weights are decided by config.json alone.
template <Network (*network)(const JsonView&)>
Network by_config(const std::filesystem::path& /*directory*/, const JsonView& config) {
  return network(config);
}

constexpr FamilyRow kFamilies[] = {
    {"qwen2_vl", "", "", by_config<qwen2_vl_network>, qwen2_vl_family},
    {"qwen2_5_vl", "", "audio_config", by_config<salmonn2_plus_network>, salmonn2_plus_family},
    {"qwen2_5_vl", "", "", by_config<qwen2_5_vl_network>, qwen2_5_vl_family},
    {"llava", "llama", "", by_config<tarsier_network>, tarsier_family},
    {"llava", "qwen2_vl", "", by_config<tarsier2_network>, tarsier2_family},
};

// Known by LLaVA's own keys: their model_type is whatever the saving program's was.
constexpr FamilyRow kSalmonn2{"", "", "", salmonn2_network, salmonn2_family};
constexpr FamilyRow kLlavaOneVision{"", "", "", llava_onevision_network, llava_onevision_family};

DType stored_type(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return DType::f32;
    case at::kBFloat16:
      return DType::bf16;
    case at::kHalf:
      return DType::f16;
    default:
      throw_broken_promise("weights are saved as f32, bf16 or f16");
  }
}

// In f32, where the change is.
Tensor changed(const Tensor& weight, const LoraDelta& change) {
  return merged_weight(weight.to(change.a.device(), at::kFloat), change);
}

JsonView read_config(const std::filesystem::path& directory) {
  if (!std::filesystem::is_directory(directory)) {
    throw CheckpointError({directory.string(), "is not a model directory",
                           "pass a folder with config.json and model.safetensors"});
  }
  if (!std::filesystem::exists(directory / "config.json")) {
    throw CheckpointError({(directory / "config.json").string(), "is missing",
                           "pass a folder in Hugging Face layout"});
  }
  return read_json(directory / "config.json", JsonOwner::checkpoint);
}

const FamilyRow& row_of(const std::filesystem::path& directory, const JsonView& config) {
  if (is_llava_qwen(config)) return is_salmonn2(directory) ? kSalmonn2 : kLlavaOneVision;
  const std::string type = config.at("model_type").as_string();
  const std::optional<JsonView> text = config.find("text_config");
  const std::string text_type = text ? text->string_or("model_type", "") : "";
  for (const FamilyRow& row : kFamilies) {
    if (type != row.model_type) continue;
    if (*row.key != '\0' && !config.has(row.key)) continue;
    if (*row.text_model_type == '\0' || text_type == row.text_model_type) return row;
  }
  if (type == "llava") {
    throw CheckpointError({"config.json: text_config.model_type",
                           fmt::format("'{}' is not supported", text_type),
                           "supported with llava: llama (Tarsier), qwen2_vl (Tarsier2)"});
  }
  throw CheckpointError({"config.json: model_type", fmt::format("'{}' is not supported", type),
                         "supported: qwen2_vl, qwen2_5_vl (Qwen2.5-VL, video-SALMONN 2+), llava "
                         "(Tarsier, Tarsier2), and LlavaQwen by its mm_vision_tower and "
                         "mm_projector_type (video-SALMONN 2, LLaVA-OneVision)"});
}

}  // namespace

Network read_network(const std::filesystem::path& directory) {
  const JsonView config = read_config(directory);
  return row_of(directory, config).network(directory, config);
}

Family read_family(const std::filesystem::path& directory, const LoadOptions& options) {
  const JsonView config = read_config(directory);
  return row_of(directory, config).family(directory, config, options);
}

std::shared_ptr<VideoLanguageModel> load_model(const std::filesystem::path& directory,
                                               const LoadOptions& options) {
  return load_family(directory, read_family(directory, options), options);
}

DecoderConfig read_decoder_config(const std::filesystem::path& directory) {
  return read_network(directory).decoder;
}

void save_weights(VideoLanguageModel& model, const std::filesystem::path& directory,
                  at::ScalarType dtype, VideoLanguageModel* whole) {
  const at::NoGradGuard no_grad;
  struct Source {
    Tensor weight;
    const LoraDelta* change;
  };
  std::map<std::string, Tensor> unrounded;  // by our paths
  if (whole != nullptr) {
    whole->visit(Scope([&](const std::string& path, Tensor& tensor) { unrounded[path] = tensor; }));
  }
  std::map<std::string, Source> sources;  // by published names
  std::vector<TensorView> views;
  model.visit(Scope([&](const std::string& path, Tensor& tensor) {
    const std::optional<std::string> name = invert_renames(model.published_names(), path);
    check(name.has_value(), "every weight has a published name");
    check(!is_int8(tensor) || whole != nullptr, "8-bit weights are saved as they were before");
    sources[*name] = {is_int8(tensor) ? unrounded.at(path) : tensor, lora_of(tensor)};
    views.push_back({*name, stored_type(dtype), tensor.sizes().vec(), {}});
  }));
  Tensor saved;
  write_safetensors(directory / "model.safetensors", views, {{"format", "pt"}},
                    [&](const TensorView& view) -> std::span<const std::byte> {
                      const auto& [weight, change] = sources.at(view.name);
                      saved = (change == nullptr ? weight : changed(weight, *change))
                                  .detach()
                                  .to(at::kCPU, dtype)
                                  .contiguous();
                      return {static_cast<const std::byte*>(saved.const_data_ptr()),
                              static_cast<std::size_t>(saved.nbytes())};
                    });
}

}  // namespace tarsier
