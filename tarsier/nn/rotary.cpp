#include "tarsier/nn/rotary.h"

#include <ATen/ATen.h>

#include "tarsier/base/error.h"
#include "tarsier/nn/fused_ops.h"

namespace tarsier {
namespace {

// theta^(-2j / dim) for j < dim / 2, in f32 as the reference computes it.
Tensor inverse_frequencies(std::int64_t dim, double theta, const at::Device& device) {
  const Tensor exponent =
      at::arange(0, dim, 2, at::TensorOptions().dtype(at::kLong)).to(at::kFloat) /
      static_cast<double>(dim);
  return (1.0 / at::pow(at::Scalar(theta), exponent)).to(device);
}

RotaryAngles angles_of(const Tensor& half, at::ScalarType dtype) {
  const Tensor full = at::cat({half, half}, -1);
  return {full.cos().to(dtype), full.sin().to(dtype)};
}

}  // namespace

RotaryAngles decoder_angles(const Tensor& positions, std::int64_t head_dim, double theta,
                            const std::vector<std::int64_t>& sections, at::ScalarType dtype) {
  const Tensor frequencies = inverse_frequencies(head_dim, theta, positions.device());
  const Tensor angles =
      positions.to(at::kFloat).unsqueeze(-1) * frequencies;  // [axes, tokens, head_dim / 2]
  if (positions.size(0) == 1) return angles_of(angles[0], dtype);
  check(sections.size() == 3 && sections[0] + sections[1] + sections[2] == head_dim / 2,
        "mrope sections cover half a head");
  std::vector<Tensor> parts;
  std::int64_t begin = 0;
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    const std::int64_t end = begin + sections[static_cast<std::size_t>(axis)];
    parts.push_back(angles[axis].slice(-1, begin, end));
    begin = end;
  }
  return angles_of(at::cat(parts, -1), dtype);
}

RotaryAngles vision_angles(std::int64_t height, std::int64_t width, std::int64_t merge_size,
                           std::int64_t head_dim) {
  const auto in_block_order = [&](const Tensor& grid) {
    return grid.reshape({height / merge_size, merge_size, width / merge_size, merge_size})
        .permute({0, 2, 1, 3})
        .flatten();
  };
  const Tensor rows = in_block_order(at::arange(height).unsqueeze(1).expand({height, width}));
  const Tensor columns = in_block_order(at::arange(width).unsqueeze(0).expand({height, width}));
  const Tensor frequencies = inverse_frequencies(head_dim / 2, 10000.0, at::kCPU);
  const Tensor by_row = rows.to(at::kFloat).unsqueeze(1) * frequencies;
  const Tensor by_column = columns.to(at::kFloat).unsqueeze(1) * frequencies;
  return angles_of(at::cat({by_row, by_column}, -1), at::kFloat);
}

Tensor rotate(const Tensor& x, const RotaryAngles& angles) {
  if (can_fuse(x) && can_fuse(angles.cosine) && can_fuse(angles.sine))
    return fused_rotate(x, angles.cosine, angles.sine);
  const std::vector<Tensor> halves = x.chunk(2, -1);
  const std::int64_t half = x.size(-1) / 2;
  const Tensor cosine = angles.cosine.unsqueeze(1),
               sine = angles.sine.unsqueeze(1);  // [tokens, 1, head_dim]
  if (x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf) {
    // Each product and the sum are rounded, as the reference does.
    return x * cosine + at::cat({-halves[1], halves[0]}, -1) * sine;
  }
  const Tensor c = cosine.slice(-1, 0, half), s = sine.slice(-1, 0, half);
  return at::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1);
}

}  // namespace tarsier
