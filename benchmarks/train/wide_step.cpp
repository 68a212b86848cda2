// Share of the machine's matrix peak inside a training step of wide layers, where the products are
// large enough to fill it: forward, next-token loss, backward, clipping, AdamW. The peak is the
// best rate of the same library's products of the same run.
//
// usage: wide_step [HIDDEN [LAYERS [TOKENS [ROUNDS]]]]     defaults 1536 2 2048 5
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "benchmarks/train/timing.h"
#include "tarsier/base/random.h"
#include "tarsier/models/fill.h"
#include "tarsier/nn/attention.h"
#include "tarsier/train/gradients.h"
#include "tarsier/train/objectives/next_token.h"
#include "tarsier/train/optimizer/optimizer.h"
#include "tarsier/train/run_setup.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSegment = 512, kVocab = 4096, kHeadDim = 128;

// FLOP/s of one product of [rows, inner] and [columns, inner].
double product_rate(std::int64_t rows, std::int64_t inner, std::int64_t columns) {
  const at::NoGradGuard no_grad;
  const Tensor a = at::randn({rows, inner}), b = at::randn({columns, inner});
  Tensor c = at::mm(a, b.t());
  const double seconds = seconds_of([&] { at::mm_out(c, a, b.t()); });
  return 2.0 * static_cast<double>(rows * inner * columns) / seconds;
}

struct Step {
  double forward = 0, backward = 0, update = 0;
  double seconds() const { return forward + backward + update; }
};

class WideModel {
 public:
  WideModel(const DecoderConfig& config, std::int64_t tokens)
      : decoder_(config), layout_(), workers_(1) {
    fill_randomly([this](const TensorVisitor& visit) { decoder_.visit(Scope(visit)); }, 1, {});
    decoder_.visit(Scope([this](const std::string& path, Tensor& tensor) {
      tensor.requires_grad_(true);
      optimizer_.add(path, tensor);
      weights_.push_back(tensor);
    }));
    for (std::int64_t end = kSegment; end <= tokens; end += kSegment) {
      layout_.ends.push_back(end);
      layout_.parent.push_back(-1);
    }
    tokens_ = at::randint(kVocab, {tokens}, at::kLong);
    labels_ = at::randint(kVocab, {tokens}, at::kLong);
    weights_of_targets_ = at::ones({tokens});
    positions_ = at::arange(tokens).remainder(kSegment).unsqueeze(0);
  }

  Step step() {
    Step took;
    Tensor loss;
    const SegmentAttention attention(layout_);
    took.forward = seconds_of([&] {
      const Tensor out = decoder_.forward(decoder_.embed(tokens_), positions_,
                                          [&](std::int64_t, const Tensor& q, const Tensor& k,
                                              const Tensor& v) { return attention(q, k, v); });
      loss = next_token(out, decoder_.embedding_weight(), labels_, weights_of_targets_,
                        static_cast<double>(tokens_.numel()), 2048)
                 .loss;
    });
    took.backward = seconds_of([&] { optimizer_.add_gradients(gradients_of(loss, weights_)); });
    took.update = seconds_of([&] {
      const double norm = joint_norm(optimizer_.gradient_norms());
      optimizer_.step({.rate = 1e-4, .weight_decay = 0.05}, norm > 1 ? 1 / norm : 1, workers_);
    });
    return took;
  }

  // Forward and twice that backward; attention counts what causality leaves of it.
  double flops() const {
    const DecoderConfig& d = decoder_.config();
    const std::int64_t q = d.heads * d.head_dim, kv = d.kv_heads * d.head_dim;
    const std::int64_t matrices =
        d.layers * (2 * d.hidden_size * (q + kv) + 3 * d.hidden_size * d.intermediate_size) +
        d.vocab_size * d.hidden_size;
    const double attended = static_cast<double>(d.layers * 4 * q * kSegment) / 2;
    return 3 * static_cast<double>(tokens_.numel()) *
           (2 * static_cast<double>(matrices) + attended);
  }

 private:
  CausalDecoder decoder_;
  AttentionLayout layout_;
  Optimizer optimizer_;
  Workers workers_;
  std::vector<Tensor> weights_;
  Tensor tokens_, labels_, weights_of_targets_, positions_;
};

int measure(std::int64_t hidden, std::int64_t layers, std::int64_t tokens, std::int64_t rounds) {
  keep_freed_memory();
  DecoderConfig config;
  config.vocab_size = kVocab;
  config.hidden_size = hidden;
  config.intermediate_size = 4 * hidden;
  config.layers = layers;
  config.heads = hidden / kHeadDim;
  config.kv_heads = config.heads % 4 == 0 ? config.heads / 4 : config.heads;
  config.head_dim = kHeadDim;
  config.tied_head = true;
  WideModel model(config, tokens);
  model.step();  // pages and threads come into being
  std::vector<double> peaks, rates, forward, backward, update;
  for (std::int64_t i = 0; i < rounds; ++i) {
    peaks.push_back(
        std::max({product_rate(2048, 2048, 2048), product_rate(tokens, hidden, 4 * hidden),
                  product_rate(tokens, 4 * hidden, hidden)}));
    const Step took = model.step();
    rates.push_back(model.flops() / took.seconds());
    forward.push_back(took.forward);
    backward.push_back(took.backward);
    update.push_back(took.update);
    fmt::print("round {}: peak {:.1f}, step {:.1f} GFLOP/s, share {:.0f} %\n", i + 1,
               peaks.back() / 1e9, rates.back() / 1e9, 100 * rates.back() / peaks.back());
  }
  fmt::print(
      "{} x {} tokens, {} layers, {} threads: step {:.0f} ms (forward {:.0f}, backward {:.0f}, "
      "update {:.0f}); {:.1f} of {:.1f} GFLOP/s: {:.0f} %\n",
      hidden, tokens, layers, at::get_num_threads(), 1e3 * model.flops() / median(rates),
      1e3 * median(forward), 1e3 * median(backward), 1e3 * median(update), median(rates) / 1e9,
      median(peaks) / 1e9, 100 * median(rates) / median(peaks));
  return 0;
}

}  // namespace
}  // namespace tarsier

int main(int count, char** words) {
  const auto number = [&](int at, std::int64_t otherwise) {
    return count > at ? static_cast<std::int64_t>(std::atoll(words[at])) : otherwise;
  };
  return tarsier::measure(number(1, 1536), number(2, 2), number(3, 2048), number(4, 5));
}
