#include "tarsier/nn/segment_groups.h"

#include <ATen/ATen.h>

#include <map>
#include <optional>

namespace tarsier {
namespace {

// Causal segments are padded to a multiple of this, so that few different lengths remain and each
// is one batch. A GPU does a batch for little more than the price of its start.
constexpr std::int64_t kLengthStep = 8, kLengthStepOnGpu = 32;

}  // namespace

SegmentGroups::SegmentGroups(const AttentionLayout& layout, at::Device device, Inside inside)
    : inside_(inside), causal_(layout.causal) {
  const auto index = [&](const std::vector<std::int64_t>& rows) {
    return at::tensor(rows, at::kLong).to(device);
  };
  const std::size_t count = layout.ends.size();
  std::vector<std::int64_t> begins(count), ancestors(count);
  bool equal = true;
  for (std::size_t i = 0; i < count; ++i) {
    begins[i] = i == 0 ? 0 : layout.ends[i - 1];
    equal = equal && layout.parent[i] < 0 && layout.ends[i] - begins[i] == layout.ends[0];
    for (std::int64_t up = layout.parent[i]; up >= 0;
         up = layout.parent[static_cast<std::size_t>(up)]) {
      ancestors[i] +=
          layout.ends[static_cast<std::size_t>(up)] - begins[static_cast<std::size_t>(up)];
    }
  }
  if (equal) {
    equal_length_ = layout.ends[0];
    return;
  }
  const std::int64_t length_step = device.is_cpu() ? kLengthStep : kLengthStepOnGpu;
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::size_t>> by_shape;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t length = layout.ends[i] - begins[i];
    const std::int64_t padded =
        causal_ ? (length + length_step - 1) / length_step * length_step : length;
    by_shape[{ancestors[i], padded}].push_back(i);
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(layout.ends.back()));
  std::int64_t row = 0;
  for (const auto& [shape, members] : by_shape) {
    const auto [ancestor_tokens, length] = shape;
    std::vector<std::int64_t> query_index, key_index;
    for (const std::size_t i : members) {
      std::vector<std::int64_t> chain;
      for (std::int64_t up = layout.parent[i]; up >= 0;
           up = layout.parent[static_cast<std::size_t>(up)])
        chain.insert(chain.begin(), up);
      for (const std::int64_t up : chain) {
        for (std::int64_t t = begins[static_cast<std::size_t>(up)];
             t < layout.ends[static_cast<std::size_t>(up)]; ++t)
          key_index.push_back(t);
      }
      for (std::int64_t j = 0; j < length; ++j) {
        // Padding repeats the last token; being later than every real query, causality hides it as
        // a key.
        const std::int64_t token = std::min(begins[i] + j, layout.ends[i] - 1);
        if (begins[i] + j < layout.ends[i]) order[static_cast<std::size_t>(token)] = row;
        query_index.push_back(token);
        key_index.push_back(token);
        ++row;
      }
    }
    groups_.push_back({index(query_index),
                       index(key_index),
                       static_cast<std::int64_t>(members.size()),
                       length,
                       {}});
    if (causal_ && inside_ == Inside::aten)
      groups_.back().seen = at::ones({length, ancestor_tokens + length},
                                     at::TensorOptions().dtype(at::kBool).device(device))
                                .tril(ancestor_tokens);
  }
  order_ = index(order);
}

// [batch, heads, queries, head_dim]; `seen` is undefined where every query sees every key, or, of
// equally many, all up to its own where the layout is causal.
Tensor SegmentGroups::attend(const Tensor& query, const Tensor& key, const Tensor& value,
                             const Tensor& seen) const {
  if (inside_ == Inside::products) return grouped_query_attention(query, key, value, causal_);
  const std::int64_t repeat = query.size(1) / key.size(1);
  const auto repeated = [&](const Tensor& x) {  // one kernel wants a key head for each query head
    if (repeat == 1) return x;
    return x.unsqueeze(2)
        .expand({x.size(0), x.size(1), repeat, x.size(2), x.size(3)})
        .reshape({x.size(0), query.size(1), x.size(2), x.size(3)});
  };
  const std::optional<Tensor> mask = seen.defined() ? std::optional(seen) : std::nullopt;
  return at::scaled_dot_product_attention(query, repeated(key), repeated(value), mask,
                                          /*dropout_p=*/0, /*is_causal=*/causal_ && !mask);
}

// On a CPU `embedding`, which is index_select with a parallel backward; on a GPU its backward
// sorts.
Tensor SegmentGroups::rows(const Tensor& x, const Tensor& index) const {
  return inside_ == Inside::products ? at::embedding(x, index) : x.index_select(0, index);
}

Tensor SegmentGroups::attend_group(const Group& group, const Tensor& query, const Tensor& key,
                                   const Tensor& value) const {
  const auto gathered = [&](const Tensor& x, const Tensor& index) {
    return rows(x.reshape({x.size(0), -1}), index)
        .view({group.segments, -1, x.size(1), x.size(2)})
        .transpose(1, 2);  // [segments, heads, length, head_dim]
  };
  const Tensor out = attend(gathered(query, group.query_index), gathered(key, group.key_index),
                            gathered(value, group.key_index), group.seen);
  return out.transpose(1, 2).reshape({-1, query.size(1) * query.size(2)});
}

Tensor SegmentGroups::operator()(const Tensor& query, const Tensor& key,
                                 const Tensor& value) const {
  if (equal_length_ > 0) {
    const auto batched = [&](const Tensor& x) {
      return x.reshape({-1, equal_length_, x.size(1), x.size(2)}).transpose(1, 2);
    };
    const Tensor out = attend(batched(query), batched(key), batched(value), {});
    return out.transpose(1, 2).reshape(query.sizes());
  }
  std::vector<Tensor> parts;
  for (const Group& group : groups_) parts.push_back(attend_group(group, query, key, value));
  return rows(at::cat(parts, 0), order_).view(query.sizes());
}

}  // namespace tarsier
