#include "tarsier/nn/int8_weight.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>

#include "tarsier/base/error.h"
#include "tarsier/nn/mixed_linear.h"
#include "tarsier/nn/panels.h"
#include "tarsier/nn/weight_meta.h"

namespace tarsier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kLargest = 127;
// While a weight is rounded: what malloc keeps of its pieces between the weights that stay is
// small.
constexpr std::int64_t kRoundedElements = 1 << 17;

// The blocks of [rows, in_features]: [rows, blocks, kInt8Block] of whole ones, and what is left as
// [rows, 1, fewer].
void for_each_run(const Tensor& rows,
                  const std::function<void(const Tensor& blocks, std::int64_t first)>& work) {
  const std::int64_t whole = rows.size(1) / kInt8Block, left = rows.size(1) % kInt8Block;
  if (whole > 0)
    work(rows.narrow(1, 0, whole * kInt8Block).view({rows.size(0), whole, kInt8Block}), 0);
  if (left > 0) work(rows.narrow(1, whole * kInt8Block, left).unsqueeze(1), whole);
}

Tensor widened(const Tensor& values, const Tensor& scales) {
  Tensor wide = values.to(at::kFloat);
  for_each_run(wide, [&](const Tensor& blocks, std::int64_t first) {
    blocks.mul_(scales.narrow(1, first, blocks.size(1)).unsqueeze(2));
  });
  return wide;
}

// How rows are multiplied by a panel of a weight.
struct Products {
  at::ScalarType type;
  bool padded;  // mixed_linear's

  Tensor rows(const Tensor& x) const { return padded ? rows_in_bf16(x) : x.to(type); }
  // work(begin, end, those rows of the weight, widened)
  template <class Work>
  void for_each(const Tensor& values, const Tensor& scales, const Work& work) const {
    for_each_panel(values, kPanelElements, [&](std::int64_t begin, std::int64_t end) {
      work(begin, end, widened(values.slice(0, begin, end), scales.slice(0, begin, end)).to(type));
    });
  }
};

Products products_for(const Tensor& x, bool mixed) {
  if (mixed) return {at::kBFloat16, true};
  return {x.device().is_cpu() ? at::kFloat : x.scalar_type(), false};
}

class Int8LinearOp : public torch::autograd::Function<Int8LinearOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& values,
                        const Tensor& scales, bool mixed) {
    const Products products = products_for(x, mixed);
    const Tensor rows = products.rows(x);
    Tensor y = at::empty({x.size(0), values.size(0)}, x.options());
    products.for_each(
        values, scales, [&](std::int64_t begin, std::int64_t end, const Tensor& panel) {
          y.slice(1, begin, end).copy_(at::mm(rows, panel.t()).narrow(0, 0, x.size(0)));
        });
    context->save_for_backward({values, scales});
    context->saved_data["mixed"] = mixed;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check(!at::GradMode::is_enabled(), "an 8-bit linear layer is differentiated once");
    const auto saved = context->get_saved_variables();
    const Tensor &values = saved[0], &scales = saved[1], &dy = gradients[0];
    const Products products = products_for(dy, context->saved_data["mixed"].toBool());
    const Tensor dx = at::zeros({dy.size(0), values.size(1)}, dy.options().dtype(at::kFloat));
    products.for_each(values, scales,
                      [&](std::int64_t begin, std::int64_t end, const Tensor& panel) {
                        const Tensor rows = products.rows(dy.slice(1, begin, end));
                        dx.add_(at::mm(rows, panel).narrow(0, 0, dy.size(0)));
                      });
    return {dx.to(dy.scalar_type()), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor int8_weight(const Tensor& weight) {
  const at::NoGradGuard no_grad;
  const std::int64_t blocks = (weight.size(1) + kInt8Block - 1) / kInt8Block;
  const Tensor values = at::empty(weight.sizes(), weight.options().dtype(at::kChar));
  const Tensor scales = at::empty({weight.size(0), blocks}, weight.options().dtype(at::kFloat));
  for_each_panel(weight, kRoundedElements, [&](std::int64_t begin, std::int64_t end) {
    const Tensor rows =
        weight.slice(0, begin, end).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    const Tensor its_scales = scales.slice(0, begin, end);
    for_each_run(rows, [&](const Tensor& of, std::int64_t first) {
      const Tensor scale = of.abs().amax(2, /*keepdim=*/true).div_(kLargest);
      its_scales.narrow(1, first, of.size(1)).copy_(scale.squeeze(2));
      // A block of zeros has a scale of 0, by which nothing can be divided.
      of.div_(at::where(scale == 0, 1.0, scale));
    });
    values.slice(0, begin, end).copy_(rows.round_());
  });
  WeightMeta meta;
  meta.scales = scales;
  return with_meta(values, meta);
}

bool is_int8(const Tensor& weight) {
  const WeightMeta* meta = meta_of(weight);
  return meta != nullptr && meta->scales.defined();
}

Tensor widened(const Tensor& weight) {
  check(is_int8(weight), "an 8-bit weight has scales");
  const at::NoGradGuard no_grad;
  return widened(weight, meta_of(weight)->scales);
}

Tensor int8_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check(is_int8(weight), "an 8-bit weight has scales");
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  const Tensor y = Int8LinearOp::apply(x.reshape({-1, weight.size(1)}), weight,
                                       meta_of(weight)->scales, multiplies_in_bf16(x))
                       .view(shape);
  return bias.defined() ? (y + bias).to(x.scalar_type()) : y;
}

}  // namespace tarsier
