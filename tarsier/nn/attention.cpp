#include "tarsier/nn/attention.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <map>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// Causal segments are padded to a multiple of this, so that few different lengths remain and each
// is one batch.
constexpr std::int64_t kLengthStep = 8;
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

SegmentAttention::SegmentAttention(AttentionLayout layout) : layout_(std::move(layout)) {
  const std::size_t count = layout_.ends.size();
  check(layout_.parent.size() == count && count > 0,
        "a layout has a parent for each of its segments");
  std::vector<std::int64_t> begins(count), ancestors(count);
  bool equal = true;
  for (std::size_t i = 0; i < count; ++i) {
    begins[i] = i == 0 ? 0 : layout_.ends[i - 1];
    check(layout_.ends[i] > begins[i] && layout_.parent[i] < static_cast<std::int64_t>(i),
          "segments ascend and follow their parents");
    equal = equal && layout_.parent[i] < 0 && layout_.ends[i] - begins[i] == layout_.ends[0];
    for (std::int64_t up = layout_.parent[i]; up >= 0;
         up = layout_.parent[static_cast<std::size_t>(up)]) {
      ancestors[i] +=
          layout_.ends[static_cast<std::size_t>(up)] - begins[static_cast<std::size_t>(up)];
    }
  }
  if (equal) {
    equal_length_ = layout_.ends[0];
    return;
  }
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::size_t>> by_shape;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t length = layout_.ends[i] - begins[i];
    const std::int64_t padded =
        layout_.causal ? (length + kLengthStep - 1) / kLengthStep * kLengthStep : length;
    by_shape[{ancestors[i], padded}].push_back(i);
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(layout_.ends.back()));
  std::int64_t row = 0;
  for (const auto& [shape, members] : by_shape) {
    const auto [ancestor_tokens, length] = shape;
    std::vector<std::int64_t> query_index, key_index;
    for (const std::size_t i : members) {
      std::vector<std::int64_t> chain;
      for (std::int64_t up = layout_.parent[i]; up >= 0;
           up = layout_.parent[static_cast<std::size_t>(up)])
        chain.insert(chain.begin(), up);
      for (const std::int64_t up : chain) {
        for (std::int64_t t = begins[static_cast<std::size_t>(up)];
             t < layout_.ends[static_cast<std::size_t>(up)]; ++t)
          key_index.push_back(t);
      }
      for (std::int64_t j = 0; j < length; ++j) {
        // Padding repeats the last token; being later than every real query, causality hides it as
        // a key.
        const std::int64_t token = std::min(begins[i] + j, layout_.ends[i] - 1);
        if (begins[i] + j < layout_.ends[i]) order[static_cast<std::size_t>(token)] = row;
        query_index.push_back(token);
        key_index.push_back(token);
        ++row;
      }
    }
    groups_.push_back({at::tensor(query_index, at::kLong), at::tensor(key_index, at::kLong),
                       static_cast<std::int64_t>(members.size()), length, ancestor_tokens});
  }
  order_ = at::tensor(order, at::kLong);
}

Tensor SegmentAttention::attend_group(const Group& group, const Tensor& query, const Tensor& key,
                                      const Tensor& value) const {
  // `embedding` is index_select with a parallel backward.
  const auto rows = [](const Tensor& x, const Tensor& index, std::int64_t segments) {
    const Tensor flat = at::embedding(x.reshape({x.size(0), -1}), index.to(x.device()));
    return flat.view({segments, -1, x.size(1), x.size(2)})
        .transpose(1, 2);  // [segments, heads, length, head_dim]
  };
  const Tensor q = rows(query, group.query_index, group.segments);
  const Tensor k = rows(key, group.key_index, group.segments),
               v = rows(value, group.key_index, group.segments);
  const Tensor out = grouped_query_attention(q, k, v, layout_.causal);
  return out.transpose(1, 2).reshape({-1, query.size(1) * query.size(2)});
}

Tensor SegmentAttention::operator()(const Tensor& query, const Tensor& key,
                                    const Tensor& value) const {
  check(query.size(0) == layout_.ends.back() && key.size(0) == query.size(0),
        "the layout covers every token");
  if (equal_length_ > 0) {
    const auto batched = [&](const Tensor& x) {
      return x.reshape({-1, equal_length_, x.size(1), x.size(2)}).transpose(1, 2);
    };
    const Tensor out =
        grouped_query_attention(batched(query), batched(key), batched(value), layout_.causal);
    return out.transpose(1, 2).reshape(query.sizes());
  }
  std::vector<Tensor> parts;
  for (const Group& group : groups_) parts.push_back(attend_group(group, query, key, value));
  return at::embedding(at::cat(parts, 0), order_.to(query.device())).view(query.sizes());
}

}  // namespace tarsier
