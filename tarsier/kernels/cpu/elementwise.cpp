#include "tarsier/kernels/elementwise.h"

// Compiled once for each instruction set: plain loops the compiler turns into vector code. No
// inline function of the standard library may be used here, because the linker keeps one copy for
// the whole program, perhaps the one for a set the machine does not run.

namespace tarsier::TARSIER_ISA {
namespace {

constexpr float kQuickGelu = 1.702f;

// Contraction is off for this source, see CMakeLists.txt: where it is wanted, it is written.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
inline float multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

// x - n ln 2. The high part of ln 2 has few bits, so its product with n is exact.
inline float minus_ln2_times(float n, float x) {
  return multiply_add(n, 2.12194440e-4f, multiply_add(n, -0.693359375f, x));
}
#else
inline float multiply_add(float a, float b, float c) { return a * b + c; }

// In double, because a compiler that may reassociate adds ln 2 up again from two parts.
inline float minus_ln2_times(float n, float x) {
  return static_cast<float>(static_cast<double>(x) - static_cast<double>(n) * 0.6931471805599453);
}
#endif

// e^x for x <= 0, within 2 units in the last place; 0 below -87.7, where f32 becomes subnormal.
// NaN gives a finite value.
inline float exp_of_nonpositive(float x) {
  constexpr float kLog2E = 1.44269504f;
  const float clamped = x > -88.0f ? x : -88.0f;
  const std::int32_t n = static_cast<std::int32_t>(clamped * kLog2E - 0.5f);
  const float r = minus_ln2_times(static_cast<float>(n), clamped);
  float p = 1.9875691500e-4f;
  p = multiply_add(p, r, 1.3981999507e-3f);
  p = multiply_add(p, r, 8.3334519073e-3f);
  p = multiply_add(p, r, 4.1665795894e-2f);
  p = multiply_add(p, r, 1.6666665459e-1f);
  p = multiply_add(p, r, 5.0000001201e-1f);
  p = multiply_add(p, r * r, r) + 1.0f;
  return p * __builtin_bit_cast(float, (n + 127) << 23);
}

struct Sigmoid {
  float value, complement;  // 1 / (1 + e^-x) and 1 - value, without cancellation
};

inline Sigmoid sigmoid(float x) {
  const float e = exp_of_nonpositive(x > 0.0f ? -x : x);
  const float larger = 1.0f / (1.0f + e), smaller = e * larger;
  return {x > 0.0f ? larger : smaller, x > 0.0f ? smaller : larger};
}

void rms_norm(const float* x, const float* __restrict weight, float epsilon, float* y,
              float* inverse_rms, std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* __restrict in = x + row * width;
    float* __restrict out = y + row * width;
    float sum = 0.0f;
    for (std::int64_t j = 0; j < width; ++j) sum += in[j] * in[j];
    const float scale = 1.0f / __builtin_sqrtf(sum / static_cast<float>(width) + epsilon);
    inverse_rms[row] = scale;
    for (std::int64_t j = 0; j < width; ++j) out[j] = in[j] * scale * weight[j];
  }
}

void rms_norm_backward(const float* dy, const float* x, const float* __restrict weight,
                       const float* inverse_rms, float* dx, float* __restrict dweight,
                       std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* __restrict gradient = dy + row * width;
    const float* __restrict in = x + row * width;
    float* __restrict out = dx + row * width;
    const float scale = inverse_rms[row];
    float dot = 0.0f;
    for (std::int64_t j = 0; j < width; ++j) dot += gradient[j] * weight[j] * (in[j] * scale);
    const float mean = dot / static_cast<float>(width);
    for (std::int64_t j = 0; j < width; ++j) {
      const float normed = in[j] * scale;
      dweight[j] += gradient[j] * normed;
      out[j] = scale * (gradient[j] * weight[j] - normed * mean);
    }
  }
}

void rotate(const float* x, std::int64_t token_stride, std::int64_t head_stride,
            const float* cosine, const float* sine, float direction, float* y, std::int64_t tokens,
            std::int64_t heads, std::int64_t head_dim) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t token = 0; token < tokens; ++token) {
    const float* __restrict c = cosine + token * head_dim;
    const float* __restrict s = sine + token * head_dim;
    for (std::int64_t head = 0; head < heads; ++head) {
      const float* __restrict first = x + token * token_stride + head * head_stride;
      const float* __restrict second = first + half;
      float* __restrict out_first = y + (token * heads + head) * head_dim;
      float* __restrict out_second = out_first + half;
      for (std::int64_t j = 0; j < half; ++j) {
        const float turn = s[j] * direction;
        out_first[j] = first[j] * c[j] - second[j] * turn;
        out_second[j] = second[j] * c[j] + first[j] * turn;
      }
    }
  }
}

void swiglu(const float* __restrict gate, const float* __restrict up, float* __restrict y,
            std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = gate[i] * sigmoid(gate[i]).value * up[i];
}

void swiglu_backward(const float* __restrict dy, const float* __restrict gate,
                     const float* __restrict up, float* __restrict dgate, float* __restrict dup,
                     std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const Sigmoid s = sigmoid(gate[i]);
    dup[i] = dy[i] * (gate[i] * s.value);
    dgate[i] = dy[i] * up[i] * (s.value * (1.0f + gate[i] * s.complement));
  }
}

void quick_gelu(const float* __restrict x, float* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * sigmoid(kQuickGelu * x[i]).value;
}

void quick_gelu_backward(const float* __restrict dy, const float* __restrict x,
                         float* __restrict dx, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float scaled = kQuickGelu * x[i];
    const Sigmoid s = sigmoid(scaled);
    dx[i] = dy[i] * (s.value * (1.0f + scaled * s.complement));
  }
}

}  // namespace

extern const ElementwiseKernels kElementwise;
const ElementwiseKernels kElementwise = {
    rms_norm, rms_norm_backward, rotate, swiglu, swiglu_backward, quick_gelu, quick_gelu_backward,
};

}  // namespace tarsier::TARSIER_ISA
