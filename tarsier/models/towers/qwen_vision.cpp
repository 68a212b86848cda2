#include "tarsier/models/towers/qwen_vision.h"

#include <ATen/ATen.h>

#include "tarsier/nn/activation.h"
#include "tarsier/processors/grid_rows.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

constexpr std::int64_t kPatchesAtATime = 8192;

Tensor rotate_in_f32(const Tensor& x, const RotaryAngles& angles) {
  return x.scalar_type() == at::kDouble ? rotate(x, angles)
                                        : rotate(x.to(at::kFloat), angles).to(x.scalar_type());
}

}  // namespace

std::vector<SliceShape> slices_of(const Tensor& grid) {
  expect_shape(grid, "grid", {kAny, 3});
  std::vector<SliceShape> slices;
  for (const PatchGrid& each : grids_of(grid))
    slices.insert(slices.end(), static_cast<std::size_t>(each.time), {each.height, each.width});
  return slices;
}

std::size_t end_of_run(const std::vector<SliceShape>& slices, std::size_t first) {
  std::int64_t patches = 0;
  std::size_t next = first;
  while (next < slices.size() &&
         (next == first || patches + slices[next].patches() <= kPatchesAtATime))
    patches += slices[next++].patches();
  return next;
}

Tensor embed_patches(const Tensor& pixels, const Tensor& projection) {
  // The convolution's kernel equals its stride, so it is a matrix product over flattened patches.
  return apply_linear(pixels.to(projection.scalar_type()),
                      projection.view({projection.size(0), -1}), Tensor());
}

Tensor attend_rotated(const Tensor& qkv, std::int64_t heads, const SegmentAttention& attention,
                      const RotaryAngles& angles) {
  const std::int64_t patches = qkv.size(0), width = qkv.size(1) / 3;
  // The gradient of unbind is one concatenation, where three selections would each fill all.
  const std::vector<Tensor> parts = qkv.view({patches, 3, heads, width / heads}).unbind(1);
  return attention(rotate_in_f32(parts[0], angles), rotate_in_f32(parts[1], angles), parts[2])
      .reshape({patches, width});
}

PatchMerger::PatchMerger(std::int64_t width, std::int64_t merge_size, std::int64_t hidden_size)
    : merged_width_(width * merge_size * merge_size),
      in_(merged_width_, merged_width_, true),
      out_(merged_width_, hidden_size, true) {}

void PatchMerger::visit(Scope scope) {
  in_.visit(scope / "mlp" / 0);
  out_.visit(scope / "mlp" / 2);
}

Tensor PatchMerger::operator()(const Tensor& normed) const {
  return out_(exact_gelu(in_(normed.view({-1, merged_width_}))));
}

}  // namespace tarsier
