#include "tarsier/models/qwen2_vl_model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/models/fill.h"
#include "tarsier/tensor/device.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

class Qwen2VlModel final : public VideoLanguageModel {
 public:
  Qwen2VlModel(const std::filesystem::path& directory, Qwen2VlFamily family)
      : family_(std::move(family)),
        tokenizer_(Tokenizer::load(directory)),
        prompts_(*tokenizer_, find_chat_template(directory), prompt_options(family_)),
        generation_(read_generation_defaults(directory)),
        vision_(family_.vision),
        decoder_(family_.decoder) {
    info_.name = std::filesystem::weakly_canonical(directory).filename().string();
    info_.family = family_.name;
    info_.template_origin = prompts_.template_origin();
    info_.max_tokens = family_.max_tokens;
    read_notice(directory);
    if (tokenizer_->vocab_size() > family_.decoder.vocab_size) {
      throw CheckpointError({"tokenizer.json",
                             fmt::format("has ids up to {}, but vocab_size in config.json is {}",
                                         tokenizer_->vocab_size() - 1, family_.decoder.vocab_size),
                             "the tokenizer belongs to another model"});
    }
  }

  const Tokenizer& tokenizer() const override { return *tokenizer_; }
  const SamplingRule& sampling() const override { return family_.sampling; }
  const GenerationDefaults& generation() const override { return generation_; }
  const ModelInfo& info() const override { return info_; }
  const CausalDecoder& decoder() const override { return decoder_; }
  std::span<const Rename> published_names() const override { return family_.published_names; }

  std::vector<SeenMedia> plan_media(const Conversation& conversation) const override {
    return family_.plan_media(conversation, family_.processor);
  }

  ModelInputs prepare(const Conversation& conversation, PromptPurpose purpose) const override {
    ModelInputs inputs;
    std::vector<PatchGrid> grids;
    const bool generates =
        purpose == PromptPurpose::generate || purpose == PromptPurpose::generate_without_pixels;
    if (purpose == PromptPurpose::generate_without_pixels ||
        purpose == PromptPurpose::train_without_pixels) {
      for (const SeenMedia& seen : plan_media(conversation)) grids.push_back(seen.grid);
    } else {
      PreparedMedia media = family_.prepare_media(conversation, family_.processor);
      inputs.media = std::move(media.inputs);
      grids = std::move(media.grids);
    }
    inputs.prompt = generates ? prompts_.build(conversation, grids)
                              : prompts_.build_for_training(conversation, grids);
    return inputs;
  }

  Tensor encode(const MediaInputs& media) const override {
    const at::Device device = decoder_.embedding_weight().device();
    return vision_(media.pixels.to(device), media.grid);
  }

  void visit(Scope scope) override {
    vision_.visit(scope / "visual");
    decoder_.visit(scope);
  }

  void fill(const std::filesystem::path& directory, const LoadOptions& options) {
    const VisitWeights weights = [&](const TensorVisitor& visitor) { visit(Scope(visitor)); };
    weights([&](const std::string&, Tensor& tensor) { info_.parameters += tensor.numel(); });
    if (options.without_weights) return;
    FillOptions fill_options{options.device, options.dtype.value_or(at::kFloat), options.trainable};
    if (options.random_weights) {
      fill_randomly(weights, *options.random_weights, fill_options);
    } else {
      const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(directory));
      if (!options.dtype) fill_options.dtype = default_dtype(*checkpoint);
      fill_from_checkpoint(weights, checkpoint, kQwen2VlNames, fill_options);
    }
    info_.dtype = name_of(fill_options.dtype);
    if (fill_options.dtype == at::kHalf)
      log_warning("--dtype f16: large Qwen2-VL checkpoints overflow in f16; bf16 or f32 is safer");
    if (options.trainable)
      weights([](const std::string&, Tensor& tensor) { tensor.requires_grad_(true); });
  }

 private:
  static PromptOptions prompt_options(const Qwen2VlFamily& family) {
    PromptOptions options = family.prompt;
    options.merge_size = family.vision.merge_size;
    return options;
  }

  // A model of one small world says so: keys of our own, absent from other checkpoints.
  void read_notice(const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / "processor_config.json";
    if (!std::filesystem::exists(file)) return;
    const JsonView processor = read_json(file, JsonOwner::checkpoint);
    info_.notice = processor.string_or("notice", "");
    info_.world_mark = processor.string_or("world_mark", "");
  }

  // f32 where it takes at most half of the memory, else whatever 16-bit type the file has.
  at::ScalarType default_dtype(const Checkpoint& checkpoint) const {
    const double memory =
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
    if (static_cast<double>(info_.parameters) * 4 <= memory / 2) return at::kFloat;
    const TensorView* any =
        checkpoint.tensors().empty() ? nullptr : &checkpoint.tensors().begin()->second;
    return any != nullptr && any->dtype == DType::f16    ? at::kHalf
           : any != nullptr && any->dtype == DType::bf16 ? at::kBFloat16
                                                         : at::kFloat;
  }

  Qwen2VlFamily family_;
  std::unique_ptr<Tokenizer> tokenizer_;
  PromptBuilder prompts_;
  GenerationDefaults generation_;
  Qwen2VlVit vision_;
  CausalDecoder decoder_;
  ModelInfo info_;
};

void expect_equal(const char* key, std::int64_t vision, std::int64_t processor) {
  if (vision == processor) return;
  throw CheckpointError(
      {"preprocessor_config.json: " + std::string(key),
       fmt::format("is {}, but the vision tower of config.json has {}", processor, vision),
       "the processor files belong to another model"});
}

void limit_pixels(Qwen2VlVideoConfig& processor, std::int64_t max_pixels) {
  for (PixelBudget* budget : {&processor.image, &processor.video, &processor.tarsier2.frame}) {
    if (max_pixels < std::max(budget->min_pixels, processor.factor() * processor.factor())) {
      throw ConfigError(
          {"--max-pixels",
           fmt::format("{} is below the {} the model needs", max_pixels,
                       std::max(budget->min_pixels, processor.factor() * processor.factor())),
           "give more, or leave it out"});
    }
    budget->max_pixels = max_pixels;
  }
}

}  // namespace

PositionsAfterMedia positions_after_media(const JsonView& config) {
  const std::optional<JsonView> text = config.find("text_config");
  const std::string version = config.string_or(
      "transformers_version", text ? text->string_or("transformers_version", "0") : "0");
  const std::string major = version.substr(0, version.find('.'));
  const bool number = !major.empty() && major.size() < 4 &&
                      major.find_first_not_of("0123456789") == std::string::npos;
  return number && std::stoi(major) >= 5 ? PositionsAfterMedia::picture_sides
                                         : PositionsAfterMedia::longest_axis;
}

std::shared_ptr<VideoLanguageModel> load_qwen2_vl_model(const std::filesystem::path& directory,
                                                        Qwen2VlFamily family,
                                                        const LoadOptions& options) {
  expect_equal("patch_size", family.vision.patch_size, family.processor.patch_size);
  expect_equal("temporal_patch_size", family.vision.temporal_patch_size,
               family.processor.temporal_patch_size);
  expect_equal("merge_size", family.vision.merge_size, family.processor.merge_size);
  if (options.max_pixels) limit_pixels(family.processor, *options.max_pixels);
  auto model = std::make_shared<Qwen2VlModel>(directory, std::move(family));
  model->fill(directory, options);
  return model;
}

}  // namespace tarsier
