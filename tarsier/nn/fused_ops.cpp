#include "tarsier/nn/fused_ops.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/kernels/elementwise.h"

namespace tarsier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Values a thread does at least, below which starting it costs more than it saves.
constexpr std::int64_t kGrain = 32768;

template <typename Work>  // void(begin, end)
void for_rows(std::int64_t rows, std::int64_t row_values, const Work& work) {
  at::parallel_for(0, rows,
                   std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, row_values)), work);
}

Tensor dense_like(const Tensor& x) { return at::empty(x.sizes(), x.options()); }

// The gradient of a gradient would come out as zero.
void check_first_gradient() {
  check(!at::GradMode::is_enabled(), "fused operations are differentiated once");
}

struct Normed {
  Tensor y, inverse_rms;  // inverse_rms [rows]
};

// x contiguous.
Normed rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  const std::int64_t width = x.size(-1), rows = x.numel() / width;
  Normed out{dense_like(x), at::empty({rows}, x.options())};
  const float* in = x.const_data_ptr<float>();
  const float* w = weight.const_data_ptr<float>();
  float* y = out.y.mutable_data_ptr<float>();
  float* inverse_rms = out.inverse_rms.mutable_data_ptr<float>();
  for_rows(rows, width, [&](std::int64_t begin, std::int64_t end) {
    elementwise_kernels().rms_norm(in + begin * width, w, static_cast<float>(epsilon),
                                   y + begin * width, inverse_rms + begin, end - begin, width);
  });
  return out;
}

class RmsNormOp : public torch::autograd::Function<RmsNormOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        double epsilon) {
    const Normed out = rms_norm(x, weight, epsilon);
    context->save_for_backward({x, weight, out.inverse_rms});
    return out.y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check_first_gradient();
    const variable_list saved = context->get_saved_variables();
    const Tensor dy = gradients[0].contiguous();
    const Tensor &x = saved[0], &weight = saved[1], &inverse_rms = saved[2];
    const std::int64_t width = x.size(-1), rows = x.numel() / width;
    // The weight's gradient is summed in blocks of a fixed size, so that it does not depend on the
    // number of threads.
    const std::int64_t block = std::max<std::int64_t>(1, kGrain / width);
    const std::int64_t blocks = (rows + block - 1) / block;
    const Tensor dx = dense_like(x), dweight = at::zeros({blocks, width}, x.options());
    const float* dy_data = dy.const_data_ptr<float>();
    const float* x_data = x.const_data_ptr<float>();
    const float* weight_data = weight.const_data_ptr<float>();
    const float* inverse_rms_data = inverse_rms.const_data_ptr<float>();
    float* dx_data = dx.mutable_data_ptr<float>();
    float* dweight_data = dweight.mutable_data_ptr<float>();
    at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i * block, offset = row * width;
        elementwise_kernels().rms_norm_backward(
            dy_data + offset, x_data + offset, weight_data, inverse_rms_data + row,
            dx_data + offset, dweight_data + i * width, std::min(block, rows - row), width);
      }
    });
    return {dx, context->needs_input_grad(1) ? dweight.sum(0) : Tensor(), Tensor()};
  }
};

Tensor rotate(const Tensor& any, const Tensor& cosine, const Tensor& sine, float direction) {
  const Tensor x = any.stride(-1) == 1 ? any : any.contiguous();
  const std::int64_t tokens = x.size(0), heads = x.size(1), head_dim = x.size(2);
  const Tensor out = dense_like(x);
  const float* in = x.const_data_ptr<float>();
  const float* c = cosine.const_data_ptr<float>();
  const float* s = sine.const_data_ptr<float>();
  float* y = out.mutable_data_ptr<float>();
  const std::int64_t token_stride = x.stride(0), head_stride = x.stride(1);
  for_rows(tokens, heads * head_dim, [&](std::int64_t begin, std::int64_t end) {
    elementwise_kernels().rotate(in + begin * token_stride, token_stride, head_stride,
                                 c + begin * head_dim, s + begin * head_dim, direction,
                                 y + begin * heads * head_dim, end - begin, heads, head_dim);
  });
  return out;
}

class RotateOp : public torch::autograd::Function<RotateOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& cosine,
                        const Tensor& sine) {
    context->save_for_backward({cosine, sine});
    return rotate(x, cosine, sine, 1.0f);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check_first_gradient();
    const variable_list saved = context->get_saved_variables();
    return {rotate(gradients[0], saved[0], saved[1], -1.0f), Tensor(), Tensor()};
  }
};

// gate and up contiguous.
Tensor swiglu(const Tensor& gate, const Tensor& up) {
  const Tensor out = dense_like(gate);
  const float* g = gate.const_data_ptr<float>();
  const float* u = up.const_data_ptr<float>();
  float* y = out.mutable_data_ptr<float>();
  for_rows(gate.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
    elementwise_kernels().swiglu(g + begin, u + begin, y + begin, end - begin);
  });
  return out;
}

class SwigluOp : public torch::autograd::Function<SwigluOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& gate, const Tensor& up) {
    context->save_for_backward({gate, up});
    return swiglu(gate, up);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check_first_gradient();
    const variable_list saved = context->get_saved_variables();
    const Tensor dy = gradients[0].contiguous();
    const Tensor dgate = dense_like(dy), dup = dense_like(dy);
    const float* dy_data = dy.const_data_ptr<float>();
    const float* g = saved[0].const_data_ptr<float>();
    const float* u = saved[1].const_data_ptr<float>();
    float* dg = dgate.mutable_data_ptr<float>();
    float* du = dup.mutable_data_ptr<float>();
    for_rows(dy.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
      elementwise_kernels().swiglu_backward(dy_data + begin, g + begin, u + begin, dg + begin,
                                            du + begin, end - begin);
    });
    return {dgate, dup};
  }
};

// x contiguous.
Tensor quick_gelu(const Tensor& x) {
  const Tensor out = dense_like(x);
  const float* in = x.const_data_ptr<float>();
  float* y = out.mutable_data_ptr<float>();
  for_rows(x.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
    elementwise_kernels().quick_gelu(in + begin, y + begin, end - begin);
  });
  return out;
}

class QuickGeluOp : public torch::autograd::Function<QuickGeluOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    context->save_for_backward({x});
    return quick_gelu(x);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    check_first_gradient();
    const variable_list saved = context->get_saved_variables();
    const Tensor dy = gradients[0].contiguous();
    const Tensor dx = dense_like(dy);
    const float* dy_data = dy.const_data_ptr<float>();
    const float* x = saved[0].const_data_ptr<float>();
    float* out = dx.mutable_data_ptr<float>();
    for_rows(dy.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
      elementwise_kernels().quick_gelu_backward(dy_data + begin, x + begin, out + begin,
                                                end - begin);
    });
    return {dx};
  }
};

// Whether a gradient may be asked for.
bool is_recorded(const Tensor& x) { return at::GradMode::is_enabled() && x.requires_grad(); }

}  // namespace

bool can_fuse(const Tensor& x) {
  return x.scalar_type() == at::kFloat && x.device().is_cpu() && x.layout() == at::kStrided;
}

Tensor fused_rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  check(can_fuse(x) && can_fuse(weight) && weight.dim() == 1 && x.size(-1) == weight.size(0),
        "a fused norm has f32 rows as wide as its weight");
  const Tensor rows = x.contiguous(), w = weight.contiguous();
  if (is_recorded(rows) || is_recorded(w)) return RmsNormOp::apply(rows, w, epsilon);
  return rms_norm(rows, w, epsilon).y;
}

Tensor fused_rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  check(can_fuse(x) && x.dim() == 3 && x.size(2) % 2 == 0, "fused rotation takes even f32 heads");
  for (const Tensor& angles : {cosine, sine}) {
    check(can_fuse(angles) && angles.dim() == 2 && angles.size(0) == x.size(0) &&
              angles.size(1) == x.size(2),
          "rotary angles are f32 [tokens, head_dim]");
  }
  const Tensor c = cosine.contiguous(), s = sine.contiguous();
  if (is_recorded(x)) return RotateOp::apply(x, c, s);
  return rotate(x, c, s, 1.0f);
}

Tensor fused_swiglu(const Tensor& gate, const Tensor& up) {
  check(can_fuse(gate) && can_fuse(up) && gate.sizes() == up.sizes(),
        "fused SwiGLU takes f32 of one shape");
  const Tensor g = gate.contiguous(), u = up.contiguous();
  if (is_recorded(g) || is_recorded(u)) return SwigluOp::apply(g, u);
  return swiglu(g, u);
}

Tensor fused_quick_gelu(const Tensor& x) {
  check(can_fuse(x), "fused GELU takes f32");
  const Tensor in = x.contiguous();
  if (is_recorded(in)) return QuickGeluOp::apply(in);
  return quick_gelu(in);
}

}  // namespace tarsier
