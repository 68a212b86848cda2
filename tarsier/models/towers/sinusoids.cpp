#include "tarsier/models/towers/sinusoids.h"

#include <ATen/ATen.h>

#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// [rows, waves]: row times frequency, in f64 and rounded once by the caller.
Tensor angles_of(std::int64_t rows, std::int64_t waves, double log_step) {
  const Tensor frequencies = at::exp(at::arange(waves, at::kDouble) * -log_step);
  return at::arange(rows, at::kDouble).unsqueeze(1) * frequencies;
}

}  // namespace

Tensor whisper_positions(std::int64_t positions, std::int64_t width) {
  check(width >= 4 && width % 2 == 0, "Whisper's positions are even and at least 4 wide");
  const std::int64_t waves = width / 2;
  const Tensor angles =
      angles_of(positions, waves, std::log(10000.0) / static_cast<double>(waves - 1));
  return at::cat({angles.sin(), angles.cos()}, 1).to(at::kFloat);
}

Tensor chunk_positions(std::int64_t chunks, std::int64_t width) {
  check(width % 2 == 0, "positions of chunks are even in width");
  Tensor table = at::zeros({chunks, width}, at::TensorOptions().dtype(at::kFloat));
  if (chunks < 2) return table;
  const Tensor angles =
      angles_of(chunks - 1, width / 2, 2 * std::log(10000.0) / static_cast<double>(width));
  table.slice(0, 1).copy_(at::stack({angles.sin(), angles.cos()}, -1).flatten(1));
  return table;
}

}  // namespace tarsier
