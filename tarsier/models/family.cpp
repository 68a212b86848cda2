#include "tarsier/models/family.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/models/capabilities.h"
#include "tarsier/models/fill.h"
#include "tarsier/nn/int8_weight.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

class FamilyModel final : public VideoLanguageModel {
 public:
  FamilyModel(const std::filesystem::path& directory, Family family)
      : family_(std::move(family)),
        tokenizer_(family_.tokenizer ? family_.tokenizer : Tokenizer::load(directory)),
        prompts_(*tokenizer_, chat_template(directory, family_), family_.prompt),
        generation_(read_generation_defaults(directory)),
        decoder_(family_.network.decoder) {
    info_.name = std::filesystem::weakly_canonical(directory).filename().string();
    info_.family = family_.name;
    info_.hears = family_.hears;
    info_.template_origin = prompts_.template_origin();
    info_.max_tokens = family_.max_tokens;
    generation_.penalize_prompt = family_.penalize_prompt;
    read_notice(directory);
    if (tokenizer_->vocab_size() > family_.network.decoder.vocab_size) {
      throw CheckpointError(
          {"tokenizer.json",
           fmt::format("has ids up to {}, but vocab_size in config.json is {}",
                       tokenizer_->vocab_size() - 1, family_.network.decoder.vocab_size),
           "the tokenizer belongs to another model"});
    }
  }

  const Tokenizer& tokenizer() const override { return *tokenizer_; }
  const SamplingRule& sampling() const override { return family_.sampling; }
  const GenerationDefaults& generation() const override { return generation_; }
  const ModelInfo& info() const override { return info_; }
  const CausalDecoder& decoder() const override { return decoder_; }
  std::span<const Rename> published_names() const override {
    return family_.network.published_names;
  }

  std::vector<SeenMedia> plan_media(const Conversation& conversation) const override {
    check_capable(capabilities_of(family_.name), conversation);
    return family_.plan_media(conversation);
  }

  ModelInputs prepare(const Conversation& conversation, PromptPurpose purpose) const override {
    check_capable(capabilities_of(family_.name), conversation);
    ModelInputs inputs;
    std::vector<SeenMedia> seen;
    const bool generates =
        purpose == PromptPurpose::generate || purpose == PromptPurpose::generate_without_pixels;
    if (purpose == PromptPurpose::generate_without_pixels ||
        purpose == PromptPurpose::train_without_pixels) {
      seen = family_.plan_media(conversation);
    } else {
      PreparedMedia media = family_.prepare_media(conversation);
      inputs.media = std::move(media.inputs);
      seen = std::move(media.seen);
    }
    std::vector<MediaBlock> blocks;
    for (SeenMedia& each : seen) blocks.push_back(std::move(each.block));
    inputs.prompt = generates ? prompts_.build(conversation, blocks)
                              : prompts_.build_for_training(conversation, blocks);
    return inputs;
  }

  Tensor encode(const MediaInputs& media, const StageSink& sink) const override {
    return family_.network.encoder->encode(media, decoder_, sink);
  }
  double encode_flops(const MediaInputs& media) const override {
    return family_.network.encoder->flops(media);
  }
  EncodeCost encode_cost(const SeenMedia& seen, std::int64_t element_bytes) const override {
    return family_.network.encoder->cost(seen, element_bytes);
  }

  void visit(Scope scope) override {
    family_.network.encoder->visit(scope);
    decoder_.visit(scope);
  }

  void fill(const std::filesystem::path& directory, const LoadOptions& options) {
    const VisitWeights weights = [&](const TensorVisitor& visitor) { visit(Scope(visitor)); };
    weights([&](const std::string&, Tensor& tensor) { info_.parameters += tensor.numel(); });
    if (options.without_weights) return;
    FillOptions fill_options{options.device, options.dtype.value_or(at::kFloat), options.trainable,
                             options.in_int8};
    if (options.random_weights) {
      fill_randomly(weights, *options.random_weights, fill_options);
    } else {
      const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(directory));
      if (!options.dtype) fill_options.dtype = default_dtype(*checkpoint);
      const std::optional<BorrowedWeights>& borrowed = family_.borrowed;
      fill_from_checkpoint(borrowed ? with_prefix(weights, borrowed->prefix, false) : weights,
                           checkpoint, family_.network.names, fill_options,
                           family_.network.encoder->unused_names());
      if (borrowed) {
        fill_from_checkpoint(
            with_prefix(weights, borrowed->prefix, true),
            std::make_shared<const Checkpoint>(Checkpoint::open(borrowed->directory)),
            borrowed->names, fill_options, borrowed->unused);
      }
    }
    family_.network.encoder->set_recompute(options.recompute);
    decoder_.set_recompute(options.recompute);
    info_.dtype = name_of(fill_options.dtype);
    if (fill_options.dtype == at::kHalf)
      log_warning("--dtype f16: large checkpoints overflow in f16; bf16 or f32 is safer");
    if (options.trainable)
      weights([](const std::string&, Tensor& tensor) { tensor.requires_grad_(!is_int8(tensor)); });
  }

 private:
  static FoundChatTemplate chat_template(const std::filesystem::path& directory,
                                         const Family& family) {
    if (!family.own_template)
      return find_chat_template(directory, family.template_text, family.template_name);
    std::string origin = fmt::format("built-in: {}", family.template_name);
    return {ChatTemplate::parse(std::string(family.template_text), origin), origin, true};
  }

  /// The weights whose paths begin with `prefix`, or all others.
  static VisitWeights with_prefix(const VisitWeights& weights, const std::string& prefix,
                                  bool begins) {
    return [&weights, prefix, begins](const TensorVisitor& visitor) {
      weights([&](const std::string& path, Tensor& tensor) {
        if (path.starts_with(prefix) == begins) visitor(path, tensor);
      });
    };
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

  Family family_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  PromptBuilder prompts_;
  GenerationDefaults generation_;
  CausalDecoder decoder_;
  ModelInfo info_;
};

}  // namespace

std::shared_ptr<VideoLanguageModel> load_family(const std::filesystem::path& directory,
                                                Family family, const LoadOptions& options) {
  auto model = std::make_shared<FamilyModel>(directory, std::move(family));
  model->fill(directory, options);
  return model;
}

}  // namespace tarsier
