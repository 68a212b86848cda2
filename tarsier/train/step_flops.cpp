#include "tarsier/train/step_flops.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "tarsier/models/flops.h"
#include "tarsier/nn/lora.h"
#include "tarsier/train/optimizer/groups.h"

namespace tarsier {
namespace {

bool is_head(const WeightPart& weight) { return weight.path == "lm_head.weight"; }

bool is_embedding(const WeightPart& weight) { return weight.path == "model.embed_tokens.weight"; }

constexpr std::int64_t kAboveAll = 1 << 30;

// The number behind "blocks." or "layers.". The tower's patches come before its blocks, the rest
// (norms, the merger) behind them.
std::int64_t layer_of(const std::string& path) {
  for (const char* mark : {"blocks.", "layers."}) {
    const std::size_t at = path.find(mark);
    if (at != std::string::npos && std::isdigit(static_cast<unsigned char>(path[at + 7])))
      return std::stoll(path.substr(at + 7));
  }
  return path.starts_with("visual.patch_embed.") ? -1 : kAboveAll;
}

// Shares of the weights that `counts` picks, by their number of values: how many learn, and how
// many have a gradient pass through them, which reaches down to the lowest layer that learns.
struct Shares {
  double learn = 0, pass = 0;
};

template <class Counts>
Shares shares_of(std::span<const WeightPart> weights, const Counts& counts) {
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  double all = 0;
  Shares sums;
  for (const WeightPart& weight : weights) {
    if (!counts(weight)) continue;
    all += weight.values;
    sums.learn += weight.learning;
    if (weight.learning > 0) lowest = std::min(lowest, layer_of(weight.path));
  }
  for (const WeightPart& weight : weights) {
    if (counts(weight) && layer_of(weight.path) >= lowest) sums.pass += weight.values;
  }
  if (all == 0) return {};
  return {sums.learn / all, sums.pass / all};
}

}  // namespace

std::vector<WeightPart> weights_in(VideoLanguageModel& model) {
  std::vector<WeightPart> weights;
  const TensorVisitor add = [&](const std::string& path, Tensor& weight) {
    const auto values = static_cast<double>(weight.numel());
    double learning = weight.requires_grad() ? values : 0;
    if (const LoraDelta* change = lora_of(weight); change != nullptr && change->a.requires_grad())
      learning += static_cast<double>(change->a.numel() + change->b.numel());
    weights.push_back({path, values, learning});
  };
  model.visit(Scope(add));
  return weights;
}

PassCounts pass_counts(std::span<const WeightPart> weights) {
  // Of several towers the shares are those of all their weights together.
  const Shares tower = shares_of(weights, [](const auto& each) {
    const std::string_view part = part_of(each.path);
    return part == "vision" || part == "projector" || part == "sound";
  });
  const Shares decoder = shares_of(weights, [](const auto& each) {
    return each.path.starts_with("model.") && !is_embedding(each);
  });
  const double embedding = shares_of(weights, is_embedding).learn;
  const bool untied = std::any_of(weights.begin(), weights.end(), is_head);
  const double head = untied ? shares_of(weights, is_head).learn : embedding;
  const bool below = tower.learn > 0 || embedding > 0;
  return {1 + tower.pass + tower.learn, 1 + (below ? 1 : decoder.pass) + decoder.learn,
          1 + (below || decoder.learn > 0 ? 1 : 0) + head};
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
