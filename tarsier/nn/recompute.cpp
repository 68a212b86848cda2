#include "tarsier/nn/recompute.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Carries the part through autograd's saved values.
struct PartHolder : torch::CustomClassHolder {
  explicit PartHolder(Part p) : part(std::move(p)) {}
  Part part;
  LoraDropout dropout = WithLoraDropout::current();  // backward may run on another thread
};

class RecomputedOp : public torch::autograd::Function<RecomputedOp> {
 public:
  // The weights are named so that autograd knows whose gradients these are.
  static Tensor forward(AutogradContext* context, const Tensor& x, at::TensorList weights,
                        const Part& part) {
    variable_list saved{x};
    saved.insert(saved.end(), weights.begin(), weights.end());
    context->save_for_backward(saved);
    context->saved_data["part"] = c10::IValue::make_capsule(c10::make_intrusive<PartHolder>(part));
    // With gradients on, 16-bit products and long attention take the path that backward will take.
    const at::AutoGradMode as_in_backward(true);
    return part(x.detach()).detach();
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check(!at::GradMode::is_enabled(), "recomputed parts are differentiated once");
    const variable_list saved = context->get_saved_variables();
    const auto holder =
        c10::static_intrusive_pointer_cast<PartHolder>(context->saved_data["part"].toCapsule());
    const Tensor x = saved[0].detach().requires_grad_(saved[0].requires_grad());
    // One gradient for each argument of forward: x, the weights, the part.
    variable_list result(saved.size() + 1), asked;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < saved.size(); ++i) {
      const Tensor& input = i == 0 ? x : saved[i];
      if (!input.requires_grad()) continue;
      asked.push_back(input);
      places.push_back(i);
    }
    Tensor y;
    {
      const at::AutoGradMode recording(true);
      const WithLoraDropout as_in_forward(holder->dropout);
      y = holder->part(x);
    }
    const variable_list found =
        torch::autograd::grad({y}, asked, gradients, /*retain_graph=*/std::nullopt,
                              /*create_graph=*/false, /*allow_unused=*/true);
    for (std::size_t i = 0; i < found.size(); ++i) result[places[i]] = found[i];
    return result;
  }
};

}  // namespace

Tensor recomputed(const Part& part, const Tensor& x, const std::vector<Tensor>& weights) {
  const bool learns =
      x.requires_grad() || std::any_of(weights.begin(), weights.end(),
                                       [](const Tensor& weight) { return weight.requires_grad(); });
  if (!at::GradMode::is_enabled() || !learns) return part(x);
  return RecomputedOp::apply(x, at::TensorList(weights), part);
}

}  // namespace tarsier
