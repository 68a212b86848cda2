#include "tarsier/models/registry.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/llama_decoder_config.h"
#include "tarsier/models/llava_onevision.h"
#include "tarsier/models/llava_qwen.h"
#include "tarsier/models/qwen2_vl.h"
#include "tarsier/models/salmonn2.h"
#include "tarsier/models/tarsier.h"
#include "tarsier/models/tarsier2.h"

namespace tarsier {
namespace {

struct FamilyRow {
  const char* model_type;  // config.json: model_type
  const char*
      text_model_type;  // config.json: text_config.model_type; "" when the family has no such key
  std::shared_ptr<VideoLanguageModel> (*load)(const std::filesystem::path&, const JsonView&,
                                              const LoadOptions&);
};

constexpr FamilyRow kFamilies[] = {
    {"qwen2_vl", "", load_qwen2_vl},
    {"llava", "llama", load_tarsier},
    {"llava", "qwen2_vl", load_tarsier2},
};

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

}  // namespace

std::shared_ptr<VideoLanguageModel> load_model(const std::filesystem::path& directory,
                                               const LoadOptions& options) {
  const JsonView config = read_config(directory);
  if (is_llava_qwen(config)) {
    return is_salmonn2(directory) ? load_salmonn2(directory, config, options)
                                  : load_llava_onevision(directory, config, options);
  }
  const std::string type = config.at("model_type").as_string();
  const std::optional<JsonView> text = config.find("text_config");
  const std::string text_type = text ? text->string_or("model_type", "") : "";
  for (const FamilyRow& family : kFamilies) {
    if (type != family.model_type) continue;
    if (*family.text_model_type == '\0' || text_type == family.text_model_type)
      return family.load(directory, config, options);
  }
  if (type == "llava") {
    throw CheckpointError({"config.json: text_config.model_type",
                           fmt::format("'{}' is not supported", text_type),
                           "supported with llava: llama (Tarsier), qwen2_vl (Tarsier2)"});
  }
  throw CheckpointError({"config.json: model_type", fmt::format("'{}' is not supported", type),
                         "supported: qwen2_vl, llava (Tarsier, Tarsier2), and LlavaQwen by its "
                         "mm_vision_tower and mm_projector_type (video-SALMONN 2, "
                         "LLaVA-OneVision)"});
}

DecoderConfig read_decoder_config(const std::filesystem::path& directory) {
  const JsonView config = read_config(directory);
  const JsonView text = config.find("text_config").value_or(config);
  return text.string_or("model_type", "") == "llama" ? llama_decoder_config(text)
                                                     : qwen2_vl_decoder_config(text);
}

void save_weights(VideoLanguageModel& model, const std::filesystem::path& directory,
                  at::ScalarType dtype) {
  std::vector<Tensor> kept;
  std::vector<TensorView> views;
  model.visit(Scope([&](const std::string& path, Tensor& tensor) {
    const std::optional<std::string> name = invert_renames(model.published_names(), path);
    check(name.has_value(), "every weight has a published name");
    kept.push_back(tensor.detach().to(at::kCPU, dtype).contiguous());
    const Tensor& saved = kept.back();
    views.push_back({*name,
                     stored_type(dtype),
                     saved.sizes().vec(),
                     {static_cast<const std::byte*>(saved.const_data_ptr()),
                      static_cast<std::size_t>(saved.nbytes())}});
  }));
  write_safetensors(directory / "model.safetensors", views, {{"format", "pt"}});
}

}  // namespace tarsier
