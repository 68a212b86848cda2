#include "tarsier/train/learner.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/train/gradients.h"
#include "tarsier/train/objectives/next_token.h"
#include "tarsier/train/objectives/visual_words.h"
#include "tarsier/train/optimizer/groups.h"

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

}  // namespace

void StepLosses::add(const StepLosses& other) {
  total += other.total;
  next_token += other.next_token;
  accuracy += other.accuracy;
  visual_words += other.visual_words;
  event_probe += other.event_probe;
  event_cells += other.event_cells;
}

Learner::Learner(std::shared_ptr<VideoLanguageModel> model, std::vector<std::int64_t> word_tokens,
                 std::int64_t logit_chunk, RankPlace place)
    : model_(std::move(model)),
      logit_chunk_(logit_chunk),
      head_(model_->decoder().embedding_weight()),
      probe_(zero_probe(model_->decoder(), kProbeOutputs)),
      cell_probe_(zero_probe(model_->decoder(), kCellProbeOutputs)) {
  const auto words = static_cast<std::int64_t>(word_tokens.size());
  word_tokens_ = at::tensor(word_tokens, at::kLong).to(head_.device());
  word_bias_ = at::full({words}, kInitialWordBias,
                        at::TensorOptions().dtype(at::kFloat).device(head_.device()))
                   .requires_grad_(true);
  std::vector<std::pair<std::string, Tensor>> named;
  const TensorVisitor add = [&](const std::string& path, Tensor& tensor) {
    named.emplace_back(path, tensor);
    if (path == "lm_head.weight") head_ = tensor;
  };
  model_->visit(Scope(add));
  if (words > 0) {
    named.emplace_back(kWordBias, word_bias_);
    named.emplace_back("training_only.probe.weight", probe_.weight);
    named.emplace_back("training_only.probe.bias", probe_.bias);
    named.emplace_back("training_only.cell_probe.weight", cell_probe_.weight);
    named.emplace_back("training_only.cell_probe.bias", cell_probe_.bias);
  }
  std::vector<std::int64_t> sizes;
  for (const auto& [path, weight] : named) sizes.push_back(weight.numel());
  const std::vector<std::int64_t> owners = balanced_owners(sizes, place.size);
  for (std::size_t i = 0; i < named.size(); ++i)
    optimizer_.add(named[i].first, named[i].second, owners[i], owners[i] == place.rank);
  for (const Optimizer::Parameter& parameter : optimizer_.parameters())
    weights_.push_back(parameter.weight);
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
  passes_ = pass_counts(optimizer_.parameters());
  if (const auto unused =
          assign_groups(optimizer_.parameters(), stage.groups, stage.vision_layer_decay))
    refuse("groups", *unused);
}

Lesson Learner::learn(const Batch& on_host, const Stage& stage, double step_weight,
                      double share) const {
  const CausalDecoder& decoder = model_->decoder();
  const Batch batch = on_device(on_host, decoder.device());
  const bool sees = batch.media.pixels.defined();
  const Tensor media = sees ? model_->encode(batch.media) : Tensor();
  StepLosses losses;
  std::vector<Tensor> parts;
  const bool probes = stage.event_probe > 0 && batch.event_labels.defined();
  const bool cells = stage.event_cells > 0 && batch.cell_labels.defined();
  const bool decodes = stage.next_token > 0 || probes || cells;
  if (decodes) {
    Tensor hidden = decoder.embed(batch.tokens);
    if (sees) hidden = hidden.index_copy(0, batch.media_rows, media);
    // Held by what backward may run again: it must outlive this block.
    const auto attention = std::make_shared<const SegmentAttention>(batch.layout, decoder.device());
    const std::int64_t middle = decoder.config().layers / 2;
    // A cell is compared with the one before it a layer earlier than the frame's marker sums up.
    Tensor at_markers, at_cells;
    const HiddenSink sink = [&](std::int64_t layer, const Tensor& x) {
      if (probes && layer == middle) at_markers = x.index_select(0, batch.marker_rows);
      if (cells && layer == std::max<std::int64_t>(1, middle - 1))
        at_cells = x.index_select(0, batch.media_rows);
    };
    const Tensor out = decoder.forward(
        hidden, batch.positions,
        [attention](std::int64_t, const Tensor& q, const Tensor& k, const Tensor& v) {
          return (*attention)(q, k, v);
        },
        sink);
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
  losses.total = total.item<double>();
  return {losses, gradients_of(total, weights_),
          step_flops(*model_, batch, passes_, decodes, stage.next_token > 0)};
}

}  // namespace tarsier
