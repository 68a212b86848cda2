#pragma once

#include "tarsier/nn/attention.h"

namespace tarsier {

/// Attention over a layout from ATen's operations: segments of one padded length behind equally
/// long ancestors are gathered and done as one batch. For the types and devices that have no fused
/// kernel, and for tests of those that do. The layout must be one that SegmentAttention takes.
class SegmentGroups {
 public:
  explicit SegmentGroups(const AttentionLayout& layout, at::Device device = at::kCPU);

  /// As SegmentAttention's, for any floating type on that device.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value) const;

 private:
  struct Group {
    Tensor query_index;  // i64 [segments * length]
    Tensor key_index;    // i64 [segments * (ancestors + length)]
    std::int64_t segments, length, ancestors;
  };
  Tensor attend_group(const Group& group, const Tensor& query, const Tensor& key,
                      const Tensor& value) const;

  bool causal_;
  std::int64_t equal_length_ = 0;  // > 0: every segment is a root of this length
  std::vector<Group> groups_;
  Tensor order_;  // i64 [tokens]: the row of the groups' outputs that holds each token
};

}  // namespace tarsier
