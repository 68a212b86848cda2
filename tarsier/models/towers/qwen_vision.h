#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tarsier/nn/attention.h"
#include "tarsier/nn/linear.h"
#include "tarsier/nn/rotary.h"

namespace tarsier {

// What the vision towers of Qwen2-VL and Qwen2.5-VL share (models-tarsier.md 2.6, 3.2-3.5).

/// One temporal slice of an image or video, in patches. Slices are independent of one another.
struct SliceShape {
  std::int64_t height, width;
  std::int64_t patches() const { return height * width; }
  auto operator<=>(const SliceShape&) const = default;
};

/// The slices of all media, in order; grid i64 [media, 3] (time, height, width in patches).
std::vector<SliceShape> slices_of(const Tensor& grid);

/// The slices that pass through at a time when no gradient is kept, from `first` on: the index
/// behind the last. Bounds activations to about 1 GB at full size.
std::size_t end_of_run(const std::vector<SliceShape>& slices, std::size_t first);

/// pixels [patches, patch_values], projection [width, channels, temporal_patch, patch, patch] ->
/// [patches, width] in the projection's type.
Tensor embed_patches(const Tensor& pixels, const Tensor& projection);

/// qkv [patches, 3 * width], its parts one after another -> [patches, width]. Positions are applied
/// in f32 whatever the tower's type (models-tarsier.md 2.10).
Tensor attend_rotated(const Tensor& qkv, std::int64_t heads, const SegmentAttention& attention,
                      const RotaryAngles& angles);

/// Two dense layers over each block of merge x merge patches, which are consecutive rows.
class PatchMerger {
 public:
  PatchMerger(std::int64_t width, std::int64_t merge_size, std::int64_t hidden_size);
  Tensor operator()(const Tensor& normed) const;  // [patches, width] -> [media tokens, hidden]
  void visit(Scope scope);                        // below "merger."

 private:
  std::int64_t merged_width_;
  Linear in_, out_;
};

}  // namespace tarsier
