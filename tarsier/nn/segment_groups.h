#pragma once

#include "tarsier/nn/attention.h"

namespace tarsier {

/// Attention over a layout from ATen's operations: segments of one padded length behind equally
/// long ancestors are gathered and done as one batch. For the types and devices that have no fused
/// kernel, and for tests of those that do. The layout must be one that SegmentAttention takes.
class SegmentGroups {
 public:
  /// Of a batch's attention: as matrix products, or by ATen's own, which on a GPU is one kernel
  /// that keeps no scores.
  enum class Inside { products, aten };

  explicit SegmentGroups(const AttentionLayout& layout, at::Device device = at::kCPU)
      : SegmentGroups(layout, device, device.is_cpu() ? Inside::products : Inside::aten) {}
  SegmentGroups(const AttentionLayout& layout, at::Device device, Inside inside);

  /// As SegmentAttention's, for any floating type on that device.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value) const;

 private:
  struct Group {
    Tensor query_index;  // i64 [segments * length]
    Tensor key_index;    // i64 [segments * (ancestors + length)]
    std::int64_t segments, length;
    Tensor seen;  // bool [length, ancestors + length], for Inside::aten: where a query sees a key
  };
  Tensor attend(const Tensor& query, const Tensor& key, const Tensor& value,
                const Tensor& seen) const;
  Tensor rows(const Tensor& x, const Tensor& index) const;
  Tensor attend_group(const Group& group, const Tensor& query, const Tensor& key,
                      const Tensor& value) const;

  Inside inside_;
  bool causal_;
  std::int64_t equal_length_ = 0;  // > 0: every segment is a root of this length
  std::vector<Group> groups_;
  Tensor order_;  // i64 [tokens]: the row of the groups' outputs that holds each token
};

}  // namespace tarsier
