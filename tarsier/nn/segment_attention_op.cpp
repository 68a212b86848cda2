#include "tarsier/nn/segment_attention_op.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/kernels/segment_attention.h"
#include "tarsier/nn/attention.h"

namespace tarsier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Values of queries a thread does at least, below which starting it costs more than it saves.
constexpr std::int64_t kGrain = 16384;

// The kernels read heads at any stride, each head's values side by side.
Tensor with_dense_heads(const Tensor& x) { return x.stride(-1) == 1 ? x : x.contiguous(); }

template <typename Rows>
Rows head_rows(const Tensor& x, std::int64_t head) {
  Rows rows{nullptr, x.stride(0), x.stride(1)};
  if constexpr (std::is_same_v<Rows, HeadRows>)
    rows.data = x.const_data_ptr<float>() + head * x.stride(1);
  else
    rows.data = x.mutable_data_ptr<float>() + head * x.stride(1);
  return rows;
}

struct Operands {
  Tensor query, key, value;
  Tensor output = {};
  Tensor log_sum = {};  // f32 [tokens, heads], undefined where no gradient follows
  Tensor grad_output = {}, grad_query = {}, grad_key = {}, grad_value = {};
};

// Calls work(unit) for every tree and key head.
template <typename ScratchFloats, typename Work>
void for_units(const Operands& x, const SegmentTrees& trees, const ScratchFloats& scratch_floats,
               const Work& work) {
  const std::int64_t heads = x.query.size(1), kv_heads = x.key.size(1), repeat = heads / kv_heads;
  const std::int64_t segments = trees.segments.size(1), units = trees.tree_ends.size(0) * kv_heads;
  const auto* begins = trees.segments.const_data_ptr<std::int64_t>();
  const auto* tree_ends = trees.tree_ends.const_data_ptr<std::int64_t>();
  const auto unit_at = [&](std::int64_t index) {
    const std::int64_t tree = index / kv_heads, kv_head = index % kv_heads;
    const std::int64_t first = tree == 0 ? 0 : tree_ends[tree - 1];
    AttentionUnit unit;
    unit.begin = begins + first;
    unit.end = begins + segments + first;
    unit.parent = begins + 2 * segments + first;
    unit.segments = tree_ends[tree] - first;
    unit.causal = trees.causal;
    unit.repeat = repeat;
    unit.head_dim = x.query.size(2);
    unit.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(unit.head_dim)));
    unit.query = head_rows<HeadRows>(x.query, kv_head * repeat);
    unit.key = head_rows<HeadRows>(x.key, kv_head);
    unit.value = head_rows<HeadRows>(x.value, kv_head);
    unit.output = head_rows<MutableHeadRows>(x.output, kv_head * repeat);
    if (x.log_sum.defined()) {
      unit.log_sum = x.log_sum.mutable_data_ptr<float>() + kv_head * repeat;
      unit.log_sum_token_stride = heads;
    }
    if (x.grad_output.defined()) {
      unit.grad_output = head_rows<HeadRows>(x.grad_output, kv_head * repeat);
      unit.grad_query = head_rows<MutableHeadRows>(x.grad_query, kv_head * repeat);
      unit.grad_key = head_rows<MutableHeadRows>(x.grad_key, kv_head);
      unit.grad_value = head_rows<MutableHeadRows>(x.grad_value, kv_head);
    }
    return unit;
  };
  const std::int64_t unit_values = std::max<std::int64_t>(1, x.query.numel() / units);
  at::parallel_for(0, units, std::max<std::int64_t>(1, kGrain / unit_values),
                   [&](std::int64_t begin, std::int64_t end) {
                     std::int64_t floats = 0;
                     for (std::int64_t i = begin; i < end; ++i)
                       floats = std::max(floats, scratch_floats(unit_at(i)));
                     const Tensor scratch = at::empty({floats}, at::kFloat);
                     for (std::int64_t i = begin; i < end; ++i)
                       work(unit_at(i), scratch.mutable_data_ptr<float>());
                   });
}

void attend(Operands& x, const SegmentTrees& trees, bool keep_log_sum) {
  x.query = with_dense_heads(x.query);
  x.key = with_dense_heads(x.key);
  x.value = with_dense_heads(x.value);
  x.output = at::empty(x.query.sizes(), x.query.options());
  if (keep_log_sum) x.log_sum = at::empty({x.query.size(0), x.query.size(1)}, x.query.options());
  const SegmentAttentionKernels& kernels = segment_attention_kernels();
  for_units(x, trees, kernels.forward_scratch, kernels.forward);
}

class SegmentAttentionOp : public torch::autograd::Function<SegmentAttentionOp> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& query, const Tensor& key,
                        const Tensor& value, const SegmentTrees& trees) {
    Operands x{.query = query, .key = key, .value = value};
    attend(x, trees, true);
    context->save_for_backward(
        {x.query, x.key, x.value, x.output, x.log_sum, trees.segments, trees.tree_ends});
    context->saved_data["causal"] = trees.causal;
    return x.output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    // The gradient of a gradient would come out as zero.
    check(!at::GradMode::is_enabled(), "segment attention is differentiated once");
    const variable_list saved = context->get_saved_variables();
    Operands x{saved[0], saved[1], saved[2], saved[3], saved[4]};
    const SegmentTrees trees{saved[5], saved[6], x.query.size(0),
                             context->saved_data["causal"].toBool()};
    x.grad_output = with_dense_heads(grads[0]);
    x.grad_query = at::empty(x.query.sizes(), x.query.options());
    x.grad_key = at::empty(x.key.sizes(), x.key.options());
    x.grad_value = at::empty(x.value.sizes(), x.value.options());
    const SegmentAttentionKernels& kernels = segment_attention_kernels();
    for_units(x, trees, kernels.backward_scratch, kernels.backward);
    return {x.grad_query, x.grad_key, x.grad_value, Tensor()};
  }
};

}  // namespace

SegmentTrees segment_trees(const AttentionLayout& layout) {
  const auto count = static_cast<std::int64_t>(layout.ends.size());
  check(layout.parent.size() == layout.ends.size() && count > 0,
        "a layout has a parent for each of its segments");
  // A segment's place among those of its tree, and the trees' segments in layout order.
  std::vector<std::vector<std::int64_t>> trees;
  std::vector<std::size_t> tree_of;
  std::vector<std::int64_t> place;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t parent = layout.parent[at];
    check(layout.ends[at] > (i == 0 ? 0 : layout.ends[at - 1]) && parent < i,
          "segments ascend and follow their parents");
    tree_of.push_back(parent < 0 ? trees.size() : tree_of[static_cast<std::size_t>(parent)]);
    if (parent < 0) trees.emplace_back();
    place.push_back(static_cast<std::int64_t>(trees[tree_of[at]].size()));
    trees[tree_of[at]].push_back(i);
  }
  SegmentTrees out{at::empty({3, count}, at::kLong),
                   at::empty({static_cast<std::int64_t>(trees.size())}, at::kLong),
                   layout.ends.back(), layout.causal};
  auto* begins = out.segments.mutable_data_ptr<std::int64_t>();
  auto* tree_ends = out.tree_ends.mutable_data_ptr<std::int64_t>();
  std::int64_t next = 0;
  for (const std::vector<std::int64_t>& tree : trees) {
    for (const std::int64_t i : tree) {
      const auto at = static_cast<std::size_t>(i);
      const std::int64_t parent = layout.parent[at];
      begins[next] = i == 0 ? 0 : layout.ends[at - 1];
      begins[count + next] = layout.ends[at];
      begins[2 * count + next] = parent < 0 ? -1 : place[static_cast<std::size_t>(parent)];
      ++next;
    }
    *tree_ends++ = next;
  }
  return out;
}

bool has_segment_attention(const Tensor& query, const Tensor& key, const Tensor& value) {
  const auto fits = [](const Tensor& x) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat;
  };
  return fits(query) && fits(key) && fits(value) && query.size(-1) <= kMaxHeadDim;
}

Tensor segment_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                         const SegmentTrees& trees) {
  check(query.dim() == 3 && key.dim() == 3 && value.sizes() == key.sizes() &&
            query.size(2) == key.size(2) && query.size(1) % key.size(1) == 0,
        "query heads are a multiple of key heads of the same size");
  check(query.size(0) == trees.tokens && key.size(0) == trees.tokens,
        "the layout covers every token");
  if (at::GradMode::is_enabled() &&
      (query.requires_grad() || key.requires_grad() || value.requires_grad()))
    return SegmentAttentionOp::apply(query, key, value, trees);
  Operands x{.query = query, .key = key, .value = value};
  attend(x, trees, false);
  return x.output;
}

}  // namespace tarsier
