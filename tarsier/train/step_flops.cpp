#include "tarsier/train/step_flops.h"

#include <algorithm>

#include "tarsier/models/flops.h"

namespace tarsier {
namespace {

bool is_head(const Optimizer::Parameter& parameter) { return parameter.path == "lm_head.weight"; }

bool is_embedding(const Optimizer::Parameter& parameter) {
  return parameter.path == "model.embed_tokens.weight";
}

// Of the weights that `counts` picks, by their number of values.
template <class Counts>
double learning_share(std::span<const Optimizer::Parameter> parameters, const Counts& counts) {
  double learning = 0, all = 0;
  for (const Optimizer::Parameter& parameter : parameters) {
    if (!counts(parameter)) continue;
    const auto values = static_cast<double>(parameter.weight.numel());
    all += values;
    if (parameter.weight.requires_grad()) learning += values;
  }
  return all == 0 ? 0 : learning / all;
}

}  // namespace

PassCounts pass_counts(std::span<const Optimizer::Parameter> parameters) {
  const double tower =
      learning_share(parameters, [](const auto& each) { return each.path.starts_with("visual."); });
  const double decoder = learning_share(parameters, [](const auto& each) {
    return each.path.starts_with("model.") && !is_embedding(each);
  });
  const double embedding = learning_share(parameters, is_embedding);
  const bool untied = std::any_of(parameters.begin(), parameters.end(), is_head);
  const double head = untied ? learning_share(parameters, is_head) : embedding;
  const bool below = tower > 0 || embedding > 0;
  // Of a tower or decoder that learns in part and has nothing to teach below, only the upper layers
  // are gone through again.
  return {1 + 2 * tower, 1 + (below ? 1 : decoder) + decoder,
          1 + (below || decoder > 0 ? 1 : 0) + head};
}

double step_flops(const VideoLanguageModel& model, const Batch& batch, const PassCounts& passes,
                  bool decodes, bool speaks) {
  const DecoderConfig& decoder = model.decoder().config();
  double flops = passes.tower * model.encode_flops(batch.media);
  if (decodes)
    flops += passes.decoder * decoder_flops(decoder, static_cast<double>(batch.tokens.numel()),
                                            attended_pairs(batch.layout));
  if (speaks)
    flops += passes.head * head_flops(decoder, static_cast<double>(batch.target_rows.numel()));
  return flops;
}

}  // namespace tarsier
