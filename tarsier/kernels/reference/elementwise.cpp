#include "tarsier/kernels/reference/elementwise.h"

#include <cmath>

namespace tarsier {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

void rms_norm(const float* x, const float* weight, float epsilon, float* y, float* inverse_rms,
              std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, y += width) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < width; ++j) sum += static_cast<double>(x[j]) * x[j];
    const double scale = 1.0 / std::sqrt(sum / static_cast<double>(width) + epsilon);
    inverse_rms[row] = static_cast<float>(scale);
    for (std::int64_t j = 0; j < width; ++j) y[j] = static_cast<float>(x[j] * scale * weight[j]);
  }
}

// With n = x r: dy/dx = r (weight dy - n mean(weight dy n)), dweight = sum over rows of dy n.
void rms_norm_backward(const float* dy, const float* x, const float* weight,
                       const float* inverse_rms, float* dx, float* dweight, std::int64_t rows,
                       std::int64_t width) {
  for (std::int64_t j = 0; j < width; ++j) {
    double sum = dweight[j];
    for (std::int64_t row = 0; row < rows; ++row)
      sum += static_cast<double>(dy[row * width + j]) * x[row * width + j] * inverse_rms[row];
    dweight[j] = static_cast<float>(sum);
  }
  for (std::int64_t row = 0; row < rows; ++row, dy += width, x += width, dx += width) {
    const double scale = inverse_rms[row];
    double mean = 0.0;
    for (std::int64_t j = 0; j < width; ++j)
      mean += static_cast<double>(dy[j]) * weight[j] * x[j] * scale / static_cast<double>(width);
    for (std::int64_t j = 0; j < width; ++j) {
      dx[j] = static_cast<float>(scale *
                                 (static_cast<double>(dy[j]) * weight[j] - x[j] * scale * mean));
    }
  }
}

void rotate(const float* x, std::int64_t token_stride, std::int64_t head_stride,
            const float* cosine, const float* sine, float direction, float* y, std::int64_t tokens,
            std::int64_t heads, std::int64_t head_dim) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t token = 0; token < tokens; ++token) {
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t j = 0; j < half; ++j) {
        const float* in = x + token * token_stride + head * head_stride + j;
        float* out = y + (token * heads + head) * head_dim + j;
        const double c = cosine[token * head_dim + j],
                     s = static_cast<double>(sine[token * head_dim + j]) * direction;
        out[0] = static_cast<float>(in[0] * c - in[half] * s);
        out[half] = static_cast<float>(in[half] * c + in[0] * s);
      }
    }
  }
}

void swiglu(const float* gate, const float* up, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    y[i] = static_cast<float>(gate[i] * sigmoid(gate[i]) * up[i]);
}

void swiglu_backward(const float* dy, const float* gate, const float* up, float* dgate, float* dup,
                     std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double g = gate[i], s = sigmoid(g);
    dup[i] = static_cast<float>(dy[i] * (g * s));
    dgate[i] = static_cast<float>(static_cast<double>(dy[i]) * up[i] * s * (1.0 + g * sigmoid(-g)));
  }
}

void quick_gelu(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(x[i] * sigmoid(1.702 * x[i]));
}

void quick_gelu_backward(const float* dy, const float* x, float* dx, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double scaled = 1.702 * x[i];
    dx[i] = static_cast<float>(dy[i] * sigmoid(scaled) * (1.0 + scaled * sigmoid(-scaled)));
  }
}

}  // namespace

const ElementwiseKernels& reference_elementwise_kernels() {
  static constexpr ElementwiseKernels kKernels = {
      rms_norm, rms_norm_backward, rotate, swiglu, swiglu_backward, quick_gelu, quick_gelu_backward,
  };
  return kKernels;
}

}  // namespace tarsier
