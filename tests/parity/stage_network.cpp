#include "stage_network.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "tarsier/models/fill.h"
#include "tarsier/nn/attention.h"

namespace tarsier {

StageNetwork::Configs StageNetwork::read(const std::filesystem::path& directory) {
  const JsonView config = read_json(directory / "config.json", JsonOwner::checkpoint);
  const JsonView text = config.find("text_config").value_or(config);
  Configs configs;
  configs.decoder = qwen2_vl_decoder_config(text);
  configs.decoder.tied_head =
      config.bool_or("tie_word_embeddings", false) || text.bool_or("tie_word_embeddings", false);
  configs.vision = qwen2_vl_vit_config(config.at("vision_config"), configs.decoder.hidden_size);
  return configs;
}

StageNetwork::StageNetwork(const std::filesystem::path& directory)
    : StageNetwork(directory, read(directory)) {}

StageNetwork::StageNetwork(const std::filesystem::path& directory, const Configs& configs)
    : vision_(configs.vision), decoder_(configs.decoder) {
  const VisitWeights weights = [&](const TensorVisitor& visitor) {
    vision_.visit(Scope(visitor) / "visual");
    decoder_.visit(Scope(visitor));
  };
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(directory));
  fill_from_checkpoint(weights, checkpoint, kQwen2VlNames, {});
}

void StageNetwork::run(const ModelInputs& inputs, const StageSink& sink) const {
  const at::NoGradGuard no_gradients;
  const Prompt& prompt = inputs.prompt;
  const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
  Tensor hidden = decoder_.embed(at::tensor(prompt.tokens, at::kLong));
  if (inputs.media.pixels.defined()) {
    const Tensor merged =
        vision_(inputs.media.pixels, inputs.media.grid, [&](std::int64_t block, const Tensor& x) {
          sink(block == 0 ? "vision.patch_embed" : "vision.block." + std::to_string(block - 1), x);
        });
    sink("vision.merged", merged);
    std::int64_t taken = 0;
    for (const MediaSpan& span : prompt.spans) {
      hidden.slice(0, span.begin, span.begin + span.length)
          .copy_(merged.slice(0, taken, taken + span.length));
      taken += span.length;
    }
  }
  const SegmentAttention attention({{tokens}, {-1}, /*causal=*/true});
  const auto attend = [&](std::int64_t, const Tensor& query, const Tensor& key,
                          const Tensor& value) { return attention(query, key, value); };
  const Tensor normed =
      decoder_.forward(hidden, prompt.positions, attend, [&](std::int64_t layer, const Tensor& x) {
        sink(layer == 0 ? "embeds" : "decoder.layer." + std::to_string(layer - 1), x);
      });
  sink("decoder.norm", normed);
  sink("logits", decoder_.logits(normed.slice(0, tokens - 1)).squeeze(0));
}

}  // namespace tarsier
