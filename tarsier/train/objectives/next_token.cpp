#include "tarsier/train/objectives/next_token.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct ChunkedLoss {
  Tensor loss;     // scalar
  Tensor dhidden;  // like hidden; undefined unless asked for
  Tensor dhead;    // [vocab, hidden], f32 where the head is 16-bit; undefined unless asked for
  std::int64_t right = 0;
};

// What sums over a vocabulary are taken in.
at::ScalarType real_type(const Tensor& hidden) {
  return hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

// With p = softmax(logits), the loss's gradient by a row's logits is (p - onehot(label)) * weight.
ChunkedLoss chunked_loss(const Tensor& hidden, const Tensor& head, const Tensor& labels,
                         const Tensor& weights, std::int64_t chunk, bool wants_dhidden,
                         bool wants_dhead) {
  const at::NoGradGuard no_grad;
  const at::ScalarType real = real_type(hidden);
  ChunkedLoss result;
  result.loss = at::zeros({}, hidden.options().dtype(real));
  if (wants_dhidden) result.dhidden = at::empty_like(hidden);
  if (wants_dhead) result.dhead = at::zeros(head.sizes(), head.options().dtype(real));
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += chunk) {
    const std::int64_t end = std::min(hidden.size(0), begin + chunk);
    const Tensor rows = hidden.slice(0, begin, end);
    const Tensor label = labels.slice(0, begin, end).unsqueeze(1);
    const Tensor weight = weights.slice(0, begin, end).unsqueeze(1).to(real);
    Tensor logits = at::mm(rows, head.t()).to(real);
    result.right += logits.argmax(-1, /*keepdim=*/true).eq(label).sum().item<std::int64_t>();
    Tensor log_p = at::log_softmax(logits, -1);
    logits = Tensor();
    result.loss.sub_((log_p.gather(1, label) * weight).sum());
    if (!wants_dhidden && !wants_dhead) continue;
    const Tensor dlogits = log_p.exp_();
    dlogits.scatter_add_(1, label, at::full_like(weight, -1)).mul_(weight);
    const Tensor narrow = dlogits.to(hidden.scalar_type());
    if (wants_dhidden) result.dhidden.slice(0, begin, end).copy_(at::mm(narrow, head));
    if (!wants_dhead) continue;
    if (real == head.scalar_type()) {
      result.dhead.addmm_(narrow.t(), rows);
    } else {
      result.dhead.add_(at::mm(narrow.t(), rows));
    }
  }
  return result;
}

class NextTokenOp : public torch::autograd::Function<NextTokenOp> {
 public:
  // hidden and head are named so that autograd knows whose gradients these are.
  static Tensor forward(AutogradContext* context, const Tensor& /*hidden*/, const Tensor& /*head*/,
                        const ChunkedLoss& result) {
    context->saved_data["dhidden"] = result.dhidden;
    context->saved_data["dhead"] = result.dhead;
    return result.loss.clone();
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check(!at::GradMode::is_enabled(), "the next-token loss is differentiated once");
    check(!context->saved_data.empty(), "the next-token loss is differentiated once");
    // Of the size of the head: neither copied nor kept any longer than it is needed.
    const auto scaled = [&](const char* name) {
      const Tensor gradient = context->saved_data[name].toTensor();
      return gradient.defined() ? gradient.mul_(gradients[0]) : gradient;
    };
    const variable_list result = {scaled("dhidden"), scaled("dhead"), Tensor()};
    context->saved_data.clear();
    return result;
  }
};

}  // namespace

NextToken next_token(const Tensor& hidden, const Tensor& head, const Tensor& labels,
                     const Tensor& weights, double weight_sum, std::int64_t chunk) {
  check(chunk > 0, "a chunk of logits has a row");
  const bool learning = at::GradMode::is_enabled();
  const ChunkedLoss result =
      chunked_loss(hidden, head, labels, weights / weight_sum, chunk,
                   learning && hidden.requires_grad(), learning && head.requires_grad());
  return {NextTokenOp::apply(hidden, head, result),
          static_cast<double>(result.right) /
              static_cast<double>(std::max<std::int64_t>(1, hidden.size(0)))};
}

Tensor token_log_probs(const Tensor& hidden, const Tensor& head, const Tensor& labels,
                       std::int64_t chunk) {
  check(chunk > 0, "a chunk of logits has a row");
  const at::NoGradGuard no_grad;
  const at::ScalarType real = real_type(hidden);
  Tensor log_probs = at::empty({hidden.size(0)}, hidden.options().dtype(real));
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += chunk) {
    const std::int64_t end = std::min(hidden.size(0), begin + chunk);
    const Tensor logits = at::mm(hidden.slice(0, begin, end), head.t()).to(real);
    const Tensor label = labels.slice(0, begin, end).unsqueeze(1);
    log_probs.slice(0, begin, end)
        .copy_((logits.gather(1, label) - logits.logsumexp(-1, /*keepdim=*/true)).squeeze(1));
  }
  return log_probs;
}

}  // namespace tarsier
