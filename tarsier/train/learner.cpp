#include "tarsier/train/learner.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/data/draw_key.h"
#include "tarsier/nn/lora.h"
#include "tarsier/train/forward.h"
#include "tarsier/train/gradients.h"
#include "tarsier/train/objectives/next_token.h"
#include "tarsier/train/objectives/visual_words.h"
#include "tarsier/train/optimizer/groups.h"
#include "tarsier/train/preference/pair_weights.h"

namespace tarsier {
namespace {

constexpr char kWordBias[] = "training_only.word_bias";
// Most words are absent from most tokens; starting there spares the first steps.
constexpr double kInitialWordBias = -2;

// A probe starts at zero: it then says nothing, and its gradient is not zero.
Linear zero_probe(const CausalDecoder& decoder, std::int64_t outputs) {
  const at::TensorOptions real = at::TensorOptions().dtype(at::kFloat).device(decoder.device());
  Linear probe(decoder.config().hidden_size, outputs, true);
  probe.weight = at::zeros({outputs, decoder.config().hidden_size}, real).requires_grad_(true);
  probe.bias = at::zeros({outputs}, real).requires_grad_(true);
  return probe;
}

// The same for a batch wherever it is learned: on any rank, by any worker.
std::uint64_t key_of(const Batch& batch, std::uint64_t step_key) {
  std::string ids;
  for (const std::string& id : batch.ids) ids += id + "\n";
  return Random({step_key, draw_key(ids)}).next();
}

}  // namespace

Learner::Learner(std::shared_ptr<VideoLanguageModel> model, std::vector<std::int64_t> word_tokens,
                 std::int64_t logit_chunk, RankPlace place, const AdapterPart& part)
    : model_(std::move(model)),
      logit_chunk_(logit_chunk),
      head_(output_head(*model_)),
      probe_(zero_probe(model_->decoder(), kProbeOutputs)),
      cell_probe_(zero_probe(model_->decoder(), kCellProbeOutputs)),
      dropout_(part.adapter ? part.adapter->dropout() : 0) {
  const auto words = static_cast<std::int64_t>(word_tokens.size());
  word_tokens_ = at::tensor(word_tokens, at::kLong).to(head_.device());
  word_bias_ = at::full({words}, kInitialWordBias,
                        at::TensorOptions().dtype(at::kFloat).device(head_.device()))
                   .requires_grad_(true);
  const auto named = learnable(part, words > 0);
  std::vector<std::int64_t> sizes;
  for (const auto& [path, weight] : named) sizes.push_back(weight.numel());
  const std::vector<std::int64_t> owners = balanced_owners(sizes, place.size);
  for (std::size_t i = 0; i < named.size(); ++i)
    optimizer_.add(named[i].first, named[i].second, owners[i], owners[i] == place.rank);
  for (const Optimizer::Parameter& parameter : optimizer_.parameters())
    weights_.push_back(parameter.weight);
}

// Those of the optimizer; the model's others are frozen.
std::vector<std::pair<std::string, Tensor>> Learner::learnable(const AdapterPart& part,
                                                               bool probes) {
  std::vector<std::pair<std::string, Tensor>> named;
  const auto is_beside = [&](const std::string& path) {
    return std::any_of(part.beside.begin(), part.beside.end(),
                       [&](const std::string& pattern) { return begins_with(path, pattern); });
  };
  const TensorVisitor add = [&](const std::string& path, Tensor& tensor) {
    if (!part.adapter || is_beside(path)) {
      named.emplace_back(path, tensor);
    } else {
      tensor.requires_grad_(false);
    }
  };
  model_->visit(Scope(add));
  if (part.adapter) {
    for (const TrainableAdapter::Layer& layer : part.adapter->layers()) {
      named.emplace_back(layer.path + ".lora_A.weight", layer.delta->a);
      named.emplace_back(layer.path + ".lora_B.weight", layer.delta->b);
    }
  }
  if (probes) {
    named.emplace_back(kWordBias, word_bias_);
    named.emplace_back("training_only.probe.weight", probe_.weight);
    named.emplace_back("training_only.probe.bias", probe_.bias);
    named.emplace_back("training_only.cell_probe.weight", cell_probe_.weight);
    named.emplace_back("training_only.cell_probe.bias", cell_probe_.bias);
  }
  return named;
}

void Learner::begin_stage(const Stage& stage) {
  const auto refuse = [&](const char* key, const std::string& pattern) {
    throw ConfigError({"stage " + stage.name + ": " + key,
                       fmt::format("'{}' is the beginning of no weight's path", pattern),
                       "use patterns such as visual.blocks. or *.mlp."});
  };
  if (const auto unused = choose_learning(optimizer_.parameters(), stage.train, stage.freeze))
    refuse("train, freeze", *unused);
  const auto learns = [](const Optimizer::Parameter& parameter) {
    return parameter.weight.requires_grad() && part_of(parameter.path) != "training_only";
  };
  if (std::none_of(optimizer_.parameters().begin(), optimizer_.parameters().end(), learns))
    throw ConfigError({"stage " + stage.name + ": train", "names no weight of the model",
                       "use patterns such as visual. or model.layers."});
  const std::vector<WeightPart> weights = weights_in(*model_);
  passes_ = pass_counts(weights);
  towers_learn_ = std::any_of(weights.begin(), weights.end(), [](const WeightPart& weight) {
    return weight.learning > 0 && part_of(weight.path) != "decoder";
  });
  if (const auto unused =
          assign_groups(optimizer_.parameters(), stage.groups, stage.vision_layer_decay))
    refuse("groups", *unused);
}

Lesson Learner::learn(const Batch& on_host, const Stage& stage, double step_weight, double share,
                      double mean_reward, std::uint64_t dropout_key) const {
  check(!stage.preference || reference_, "preference training has a reference");
  const WithLoraDropout dropping({dropout_, key_of(on_host, dropout_key)});
  const CausalDecoder& decoder = model_->decoder();
  const Batch batch = on_device(on_host, decoder.device());
  const bool sees = !batch.media.empty();
  const bool remembers = media_cache_ && !towers_learn_;
  const Tensor media = !sees       ? Tensor()
                       : remembers ? media_cache_->tokens_of(*model_, on_host, batch)
                                   : model_->encode(batch.media);
  StepLosses losses;
  MetPairs met;
  std::vector<Tensor> parts;
  double correction = 0;  // of the total, where a part has the gradient of its loss alone
  const bool probes = stage.event_probe > 0 && batch.event_labels.defined();
  const bool cells = stage.event_cells > 0 && batch.cell_labels.defined();
  const bool speaks = stage.next_token > 0 || stage.preference;
  const bool decodes = speaks || probes || cells;
  if (decodes) {
    const std::int64_t middle = decoder.config().layers / 2;
    // A cell is compared with the one before it a layer earlier than the frame's marker sums up.
    Tensor at_markers, at_cells;
    const HiddenSink sink = [&](std::int64_t layer, const Tensor& x) {
      if (probes && layer == middle) at_markers = x.index_select(0, batch.marker_rows);
      if (cells && layer == std::max<std::int64_t>(1, middle - 1))
        at_cells = x.index_select(0, batch.media_rows);
    };
    const Tensor out = decode_batch(decoder, batch, media, sink);
    if (stage.preference) {
      const WeighedPairs weighed = weigh_pairs(
          batch, target_log_probs(out, head_, batch, logit_chunk_),
          reference_->log_probs(batch, met, sees && !towers_learn_ ? media.detach() : Tensor()),
          *stage.preference, step_weight, mean_reward);
      const Tensor weights =
          at::tensor(weighed.weights, at::TensorOptions().dtype(at::kFloat).device(out.device()));
      parts.push_back(next_token(out.index_select(0, batch.target_rows), head_, batch.labels,
                                 weights, /*weight_sum=*/1, logit_chunk_)
                          .loss);
      losses.pairs = weighed.report;
      correction = weighed.loss - parts.back().item<double>();
    }
    if (stage.next_token > 0) {
      const NextToken result = next_token(out.index_select(0, batch.target_rows), head_,
                                          batch.labels, batch.weights, step_weight, logit_chunk_);
      parts.push_back(result.loss * stage.next_token);
      losses.next_token = result.loss.item<double>();
      losses.accuracy = result.accuracy * share;
    }
    if (probes) {
      const Tensor loss = event_probe_loss(probe_, at_markers, batch.event_labels) * share;
      parts.push_back(loss * stage.event_probe);
      losses.event_probe = loss.item<double>();
    }
    if (cells) {
      const Tensor loss = event_cells_loss(cell_probe_, at_cells, batch.cell_labels) * share;
      parts.push_back(loss * stage.event_cells);
      losses.event_cells = loss.item<double>();
    }
  }
  if (stage.visual_words > 0 && batch.visible_words.defined()) {
    const Tensor words = decoder.embedding_weight().index_select(0, word_tokens_);
    const Tensor loss = visual_words_loss(media, words, word_bias_, batch.visible_words) * share;
    parts.push_back(loss * stage.visual_words);
    losses.visual_words = loss.item<double>();
  }
  check(!parts.empty(), "a stage has an objective its data can serve");
  const Tensor total = at::stack(parts).sum();
  losses.total = total.item<double>() + correction;
  return {losses, gradients_of(total, weights_),
          step_flops(*model_, batch, passes_, decodes, speaks), std::move(met)};
}

}  // namespace tarsier
