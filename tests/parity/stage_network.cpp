#include "stage_network.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "tarsier/nn/attention.h"

namespace tarsier {

void run_stages(const VideoLanguageModel& model, const ModelInputs& inputs, const StageSink& sink) {
  const at::NoGradGuard no_gradients;
  const CausalDecoder& decoder = model.decoder();
  const Prompt& prompt = inputs.prompt;
  const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
  Tensor hidden = decoder.embed(at::tensor(prompt.tokens, at::kLong));
  if (!prompt.spans.empty()) {
    const Tensor rows = model.encode(inputs.media, sink);
    std::int64_t taken = 0;
    for (const MediaSpan& span : prompt.spans) {
      hidden.slice(0, span.begin, span.begin + span.length)
          .copy_(rows.slice(0, taken, taken + span.length));
      taken += span.length;
    }
  }
  const SegmentAttention attention({{tokens}, {-1}, /*causal=*/true});
  const auto attend = [&](std::int64_t, const Tensor& query, const Tensor& key,
                          const Tensor& value) { return attention(query, key, value); };
  const Tensor normed =
      decoder.forward(hidden, prompt.positions, attend, [&](std::int64_t layer, const Tensor& x) {
        sink(layer == 0 ? "embeds" : "decoder.layer." + std::to_string(layer - 1), x);
      });
  sink("decoder.norm", normed);
  sink("logits", decoder.logits(normed.slice(0, tokens - 1)).squeeze(0));
}

}  // namespace tarsier
