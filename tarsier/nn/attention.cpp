#include "tarsier/nn/attention.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/nn/segment_groups.h"

namespace tarsier {
namespace {

// Queries done at a time when no gradient is kept: bounds the score matrix.
constexpr std::int64_t kQueryChunk = 512;

bool is_half(const Tensor& x) {
  return x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
}

Tensor attend_by_products(const Tensor& query, const Tensor& key, const Tensor& value,
                          bool causal) {
  const std::int64_t batch = query.size(0), heads = query.size(1), queries = query.size(2),
                     head_dim = query.size(3);
  const std::int64_t kv_heads = key.size(1), keys = key.size(2), repeat = heads / kv_heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
  // Query heads that share a key head are stacked as more queries: keys and values are never
  // repeated.
  const Tensor stacked = (query * scale).reshape({batch * kv_heads, repeat * queries, head_dim});
  Tensor scores = at::bmm(stacked, key.reshape({batch * kv_heads, keys, head_dim}).transpose(1, 2));
  if (causal && queries > 1) {
    const Tensor hidden =
        at::ones({queries, keys}, scores.options().dtype(at::kBool)).triu(keys - queries + 1);
    const Tensor mask = at::zeros({queries, keys}, scores.options()).masked_fill(hidden, -INFINITY);
    scores = (scores.view({batch * kv_heads, repeat, queries, keys}) + mask)
                 .view({batch * kv_heads, repeat * queries, keys});
  }
  const Tensor weights = at::softmax(scores, -1);
  return at::bmm(weights, value.reshape({batch * kv_heads, keys, head_dim}))
      .view({batch, heads, queries, head_dim});
}

}  // namespace

double attended_pairs(const AttentionLayout& layout) {
  double pairs = 0;
  std::vector<double> seen(
      layout.ends.size());  // by a segment's children: itself and its ancestors
  for (std::size_t i = 0; i < layout.ends.size(); ++i) {
    const auto length = static_cast<double>(layout.ends[i] - (i == 0 ? 0 : layout.ends[i - 1]));
    const double ancestors =
        layout.parent[i] < 0 ? 0 : seen[static_cast<std::size_t>(layout.parent[i])];
    pairs += length * ancestors + (layout.causal ? length * (length + 1) / 2 : length * length);
    seen[i] = ancestors + length;
  }
  return pairs;
}

Tensor grouped_query_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                               bool causal) {
  if (is_half(query)) {
    return grouped_query_attention(query.to(at::kFloat), key.to(at::kFloat), value.to(at::kFloat),
                                   causal)
        .to(query.scalar_type());
  }
  const std::int64_t queries = query.size(2), keys = key.size(2);
  if (at::GradMode::is_enabled() || queries <= kQueryChunk)
    return attend_by_products(query, key, value, causal);
  std::vector<Tensor> parts;
  for (std::int64_t begin = 0; begin < queries; begin += kQueryChunk) {
    const std::int64_t end = std::min(queries, begin + kQueryChunk);
    const std::int64_t visible = causal ? keys - queries + end : keys;
    parts.push_back(attend_by_products(query.slice(2, begin, end), key.slice(2, 0, visible),
                                       value.slice(2, 0, visible), causal));
  }
  return at::cat(parts, 2);
}

SegmentAttention::SegmentAttention(AttentionLayout layout, at::Device device)
    : layout_(std::move(layout)), trees_(segment_trees(layout_)) {
  if (!device.is_cpu()) groups_ = std::make_shared<const SegmentGroups>(layout_, device);
}

Tensor SegmentAttention::operator()(const Tensor& query, const Tensor& key,
                                    const Tensor& value) const {
  check(query.size(0) == trees_.tokens && key.size(0) == trees_.tokens,
        "the layout covers every token");
  if (has_segment_attention(query, key, value)) return segment_attention(query, key, value, trees_);
  if (is_half(query) && !groups_) {  // a device's own kernel takes halves
    return (*this)(query.to(at::kFloat), key.to(at::kFloat), value.to(at::kFloat))
        .to(query.scalar_type());
  }
  // Anew at each call on a CPU: little else than checks in f64 comes here.
  return groups_ ? (*groups_)(query, key, value)
                 : SegmentGroups(layout_, query.device())(query, key, value);
}

}  // namespace tarsier
