#include "tarsier/nn/mixed_linear.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <atomic>
#include <optional>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::atomic<LinearProducts> products_in_training{LinearProducts::f32};

// The library compiles a product for its shape, and batches of text never have the same number of
// rows twice: rounded up, they come again.
constexpr std::int64_t kRowStep = 256;

class MixedLinearOp : public torch::autograd::Function<MixedLinearOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    const Tensor rows = rows_in_bf16(x), narrow = weight.to(at::kBFloat16);
    Tensor y = at::mm(rows, narrow.t()).narrow(0, 0, x.size(0)).to(at::kFloat);
    if (bias) y.add_(*bias);
    context->save_for_backward({rows, narrow});
    context->saved_data["rows"] = x.size(0);
    context->saved_data["biased"] = bias.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check(!at::GradMode::is_enabled(), "a mixed linear layer is differentiated once");
    const auto saved = context->get_saved_variables();
    const Tensor &rows = saved[0], &narrow = saved[1];
    const Tensor dy = rows_in_bf16(gradients[0]);
    Tensor dx, dweight, dbias;
    if (context->needs_input_grad(0))
      dx = at::mm(dy, narrow).narrow(0, 0, context->saved_data["rows"].toInt()).to(at::kFloat);
    if (context->needs_input_grad(1)) dweight = at::mm(dy.t(), rows).to(at::kFloat);
    if (context->saved_data["biased"].toBool() && context->needs_input_grad(2))
      dbias = gradients[0].sum(0);
    return {dx, dweight, dbias};
  }
};

}  // namespace

void set_training_products(LinearProducts products) { products_in_training = products; }

LinearProducts training_products() { return products_in_training; }

bool multiplies_in_bf16(const Tensor& x) {
  return at::GradMode::is_enabled() && training_products() == LinearProducts::bf16 &&
         x.scalar_type() == at::kFloat && x.device().is_cpu();
}

Tensor rows_in_bf16(const Tensor& x) {
  const std::int64_t rows = x.size(0), padded = (rows + kRowStep - 1) / kRowStep * kRowStep;
  Tensor out = at::empty({padded, x.size(1)}, x.options().dtype(at::kBFloat16));
  out.narrow(0, 0, rows).copy_(x);
  if (padded > rows) out.narrow(0, rows, padded - rows).zero_();
  return out;
}

Tensor mixed_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  const std::optional<Tensor> some_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  return MixedLinearOp::apply(x.reshape({-1, weight.size(1)}), weight, some_bias).view(shape);
}

}  // namespace tarsier
