#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Cosines and sines of rotary angles, each [tokens, head_dim], the second half of a row equal to
/// the first.
struct RotaryAngles {
  Tensor cosine, sine;
};

/// Decoder angles. `positions` i64 [1 or 3, tokens]; `sections` counts the frequencies that turn
/// with time, height and width, in that order (Qwen2-VL's mrope_section); empty: one axis.
/// Frequency j is theta^(-2j / head_dim). Computed in f32, returned in `dtype`
/// (models-tarsier.md 2.10, 3.7).
RotaryAngles decoder_angles(const Tensor& positions, std::int64_t head_dim, double theta,
                            const std::vector<std::int64_t>& sections, at::ScalarType dtype);

/// Vision angles of one frame of height x width patches, rows in 2 x 2 block order
/// (models-tarsier.md 3.2, 3.4): the first quarter of a head turns with the row, the second with
/// the column, then both again. f32.
RotaryAngles vision_angles(std::int64_t height, std::int64_t width, std::int64_t merge_size,
                           std::int64_t head_dim);

/// x cos + rotate_half(x) sin for x [tokens, heads, head_dim], in x's type.
Tensor rotate(const Tensor& x, const RotaryAngles& angles);

}  // namespace tarsier
