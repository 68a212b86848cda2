#include "tarsier/nn/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/nn/kv_cache.h"
#include "tarsier/nn/segment_groups.h"

namespace tarsier {
namespace {

struct Inputs {
  Tensor query, key, value;
};

Inputs random_inputs(std::int64_t tokens, std::int64_t heads, std::int64_t kv_heads,
                     std::int64_t head_dim) {
  at::manual_seed(1);
  return {at::randn({tokens, heads, head_dim}), at::randn({tokens, kv_heads, head_dim}),
          at::randn({tokens, kv_heads, head_dim})};
}

// The slow, obvious version: a mask over all pairs of tokens.
Tensor by_dense_mask(const Inputs& in, const AttentionLayout& layout) {
  const std::int64_t tokens = in.query.size(0), repeat = in.query.size(1) / in.key.size(1);
  std::vector<std::int64_t> segment_of(static_cast<std::size_t>(tokens));
  for (std::int64_t t = 0, s = 0; t < tokens; ++t) {
    while (t >= layout.ends[static_cast<std::size_t>(s)]) ++s;
    segment_of[static_cast<std::size_t>(t)] = s;
  }
  Tensor mask = at::full({tokens, tokens}, -INFINITY, in.query.options());
  for (std::int64_t i = 0; i < tokens; ++i) {
    for (std::int64_t j = 0; j < tokens; ++j) {
      const std::int64_t from = segment_of[static_cast<std::size_t>(i)],
                         to = segment_of[static_cast<std::size_t>(j)];
      bool visible = from == to && (!layout.causal || j <= i);
      for (std::int64_t up = layout.parent[static_cast<std::size_t>(from)]; up >= 0;
           up = layout.parent[static_cast<std::size_t>(up)])
        visible = visible || up == to;
      if (visible) mask[i][j] = 0;
    }
  }
  const Tensor key = in.key.repeat_interleave(repeat, 1),
               value = in.value.repeat_interleave(repeat, 1);
  const Tensor scores = at::einsum("ihd,jhd->hij", {in.query, key}) /
                        std::sqrt(static_cast<double>(in.query.size(2)));
  return at::einsum("hij,jhd->ihd", {at::softmax(scores + mask, -1), value});
}

const AttentionLayout kLayouts[] = {
    {{5}, {-1}, true},
    {{5}, {-1}, false},
    {{4, 8, 12}, {-1, -1, -1}, false},              // frames of one size
    {{4, 7, 12}, {-1, -1, -1}, false},              // and of several
    {{6, 9, 11, 20, 23}, {-1, 0, 0, -1, 3}, true},  // two shared videos with their answers
    {{3, 5, 6, 16}, {-1, 0, 1, 0}, true},           // an answer behind an answer
};

TEST(AttentionLayoutPairs, CountWhoSeesWhom) {
  EXPECT_EQ(attended_pairs({{3, 5}, {-1, -1}, false}), 9 + 4);
  EXPECT_EQ(attended_pairs({{3, 5}, {-1, -1}, true}), 6 + 3);
  EXPECT_EQ(attended_pairs({{3, 5, 6}, {-1, 0, 1}, true}), 6 + (3 + 2 * 3) + (1 + 5));
}

TEST(SegmentAttention, EqualsADenseMask) {
  for (const AttentionLayout& layout : kLayouts) {
    const Inputs in = random_inputs(layout.ends.back(), 4, 2, 8);
    EXPECT_TRUE(at::allclose(SegmentAttention(layout)(in.query, in.key, in.value),
                             by_dense_mask(in, layout), 1e-4, 1e-5));
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(at::allclose(SegmentAttention(layout)(in.query, in.key, in.value),
                             by_dense_mask(in, layout), 1e-4, 1e-5));
  }
}

TEST(SegmentAttention, GradientsEqualThoseOfADenseMask) {
  const AttentionLayout& layout = kLayouts[4];
  Inputs a = random_inputs(layout.ends.back(), 4, 2, 8);
  Inputs b{a.query.clone(), a.key.clone(), a.value.clone()};
  for (Inputs* in : {&a, &b}) {
    for (Tensor* x : {&in->query, &in->key, &in->value}) x->requires_grad_(true);
  }
  const Tensor weights = at::randn({layout.ends.back(), 4, 8});
  (SegmentAttention(layout)(a.query, a.key, a.value) * weights).sum().backward();
  (by_dense_mask(b, layout) * weights).sum().backward();
  EXPECT_TRUE(at::allclose(a.query.grad(), b.query.grad(), 1e-3, 1e-5));
  EXPECT_TRUE(at::allclose(a.key.grad(), b.key.grad(), 1e-3, 1e-5));
  EXPECT_TRUE(at::allclose(a.value.grad(), b.value.grad(), 1e-3, 1e-5));
}

// Several trees, whose segments may lie between one another's; children of children among them.
AttentionLayout random_forest(Random& random, bool causal) {
  AttentionLayout layout{{}, {}, causal};
  const std::int64_t segments = random.integer(3, 14);
  for (std::int64_t i = 0, end = 0; i < segments; ++i) {
    layout.ends.push_back(end += random.integer(1, random.chance(0.2) ? 150 : 40));
    layout.parent.push_back(random.chance(0.3) ? -1 : random.integer(-1, i - 1));
  }
  return layout;
}

// The output, and the gradients of query, key and value.
template <typename Attention>
std::array<Tensor, 4> with_gradients(const Attention& attention, const Inputs& in,
                                     const Tensor& grad_output) {
  Inputs leaf{in.query.detach().requires_grad_(true), in.key.detach().requires_grad_(true),
              in.value.detach().requires_grad_(true)};
  const Tensor out = attention(leaf.query, leaf.key, leaf.value);
  out.backward(grad_output);
  return {out.detach(), leaf.query.grad(), leaf.key.grad(), leaf.value.grad()};
}

TEST(SegmentAttention, FusedEqualsGroupsOnRandomForests) {
  Random random(3);
  for (int round = 0; round < 12; ++round) {
    const AttentionLayout layout = random_forest(random, round % 2 == 0);
    const std::int64_t repeat = random.integer(1, 4), kv_heads = random.integer(1, 3),
                       head_dim = random.pick(std::array<std::int64_t, 4>{1, 20, 32, 80});
    const Inputs in = random_inputs(layout.ends.back(), repeat * kv_heads, kv_heads, head_dim);
    const Tensor grad_output = at::randn_like(in.query);
    const auto fused = with_gradients(SegmentAttention(layout), in, grad_output);
    const auto groups = with_gradients(SegmentGroups(layout), in, grad_output);
    for (std::size_t i = 0; i < fused.size(); ++i)
      EXPECT_TRUE(at::allclose(fused[i], groups[i], 1e-5, 1e-5)) << round << ", " << i;
  }
}

// What a GPU does, here by the same operation's CPU kernels.
TEST(SegmentGroups, AtensAttentionEqualsProducts) {
  Random random(4);
  using Inside = SegmentGroups::Inside;
  const auto compare = [](const AttentionLayout& layout, std::int64_t heads,
                          std::int64_t kv_heads) {
    const Inputs in = random_inputs(layout.ends.back(), heads, kv_heads, 16);
    const Tensor grad_output = at::randn_like(in.query);
    const auto products = with_gradients(SegmentGroups(layout), in, grad_output);
    const auto aten =
        with_gradients(SegmentGroups(layout, at::kCPU, Inside::aten), in, grad_output);
    for (std::size_t i = 0; i < aten.size(); ++i)
      EXPECT_TRUE(at::allclose(aten[i], products[i], 1e-4, 1e-5)) << i;
  };
  for (const AttentionLayout& layout : kLayouts) compare(layout, 4, 2);
  for (int round = 0; round < 8; ++round) compare(random_forest(random, round % 2 == 0), 6, 3);
}

TEST(SegmentAttention, ViewsOfPackedRowsEqualCopies) {
  const AttentionLayout& layout = kLayouts[4];
  const std::int64_t tokens = layout.ends.back();
  at::manual_seed(2);
  const Tensor packed = at::randn({tokens, 3, 4, 20});
  const Tensor grad_output = at::randn({4, 20, tokens}).permute({2, 0, 1});
  const Inputs views{packed.select(1, 0), packed.select(1, 1), packed.select(1, 2)};
  const Inputs copies{views.query.contiguous(), views.key.contiguous(), views.value.contiguous()};
  // A last dimension that is not dense.
  const Inputs turned{copies.query.transpose(1, 2).contiguous().transpose(1, 2), views.key,
                      views.value};
  const SegmentAttention attention(layout);
  const auto expected = with_gradients(attention, copies, grad_output.contiguous());
  for (const Inputs& in : {views, turned}) {
    const auto actual = with_gradients(attention, in, grad_output);
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(at::equal(actual[i], expected[i]));
  }
}

TEST(SegmentAttention, ThreadsDoNotChangeABit) {
  Random random(5);
  const AttentionLayout layout = random_forest(random, true);
  const Inputs in = random_inputs(layout.ends.back(), 12, 4, 64);
  const Tensor grad_output = at::randn_like(in.query);
  const SegmentAttention attention(layout);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = with_gradients(attention, in, grad_output);
  at::set_num_threads(2);
  const auto two = with_gradients(attention, in, grad_output);
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], two[i]));
}

TEST(SegmentAttention, HalvesAreRoundedFromF32) {
  const AttentionLayout& layout = kLayouts[4];
  const Inputs in = random_inputs(layout.ends.back(), 4, 2, 8);
  const SegmentAttention attention(layout);
  const auto half = [](const Tensor& x) { return x.to(at::kBFloat16); };
  const Tensor out = attention(half(in.query), half(in.key), half(in.value));
  EXPECT_EQ(out.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(
      at::equal(out, half(attention(half(in.query).to(at::kFloat), half(in.key).to(at::kFloat),
                                    half(in.value).to(at::kFloat)))));
}

TEST(SegmentAttention, WideHeadsAndF64HaveNoFusedKernel) {
  const AttentionLayout& layout = kLayouts[4];
  const Inputs in = random_inputs(layout.ends.back(), 2, 1, 260);
  EXPECT_TRUE(at::allclose(SegmentAttention(layout)(in.query, in.key, in.value),
                           by_dense_mask(in, layout), 1e-4, 1e-5));
  const Inputs exact{in.query.to(at::kDouble), in.key.to(at::kDouble), in.value.to(at::kDouble)};
  EXPECT_TRUE(at::allclose(SegmentAttention(layout)(exact.query, exact.key, exact.value),
                           by_dense_mask(exact, layout), 1e-10, 1e-12));
}

TEST(SegmentAttention, RefusesShapesThatDoNotFit) {
  const SegmentAttention attention(kLayouts[0]);
  const Inputs in = random_inputs(5, 4, 2, 8), longer = random_inputs(6, 4, 2, 8),
               odd = random_inputs(5, 3, 2, 8), narrow = random_inputs(5, 4, 2, 4);
  EXPECT_THROW(attention(longer.query, longer.key, longer.value), InternalError);
  EXPECT_THROW(attention(odd.query, odd.key, odd.value), InternalError);
  EXPECT_THROW(attention(in.query, narrow.key, narrow.value), InternalError);
  EXPECT_THROW(attention(in.query, in.key, longer.value), InternalError);
}

TEST(SegmentAttention, RefusesALayoutThatIsNoTree) {
  EXPECT_THROW(SegmentAttention({{3, 2}, {-1, -1}, true}), InternalError);
  EXPECT_THROW(SegmentAttention({{3, 5}, {1, -1}, true}), InternalError);
  EXPECT_THROW(SegmentAttention({{}, {}, true}), InternalError);
}

TEST(GroupedQueryAttention, LongPromptsInChunksEqualOneProduct) {
  const Inputs in = random_inputs(1100, 2, 1, 4);
  const auto batched = [](const Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  const Tensor whole =
      grouped_query_attention(batched(in.query), batched(in.key), batched(in.value), true);
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::allclose(
      grouped_query_attention(batched(in.query), batched(in.key), batched(in.value), true), whole,
      1e-4, 1e-5));
}

TEST(KvCache, TokenByTokenEqualsTheWholeSequence) {
  const at::NoGradGuard no_grad;
  const Inputs in = random_inputs(9, 4, 2, 8);
  const Tensor whole = by_dense_mask(in, {{9}, {-1}, true});
  KvCache cache(1, 9, 2, 8, in.key.options());
  std::vector<Tensor> parts;
  for (const auto& [begin, end] :
       {std::pair{0, 5}, {5, 6}, {6, 9}}) {  // a prompt, a token, a chunk
    parts.push_back(cache.append_and_attend(0, in.query.slice(0, begin, end),
                                            in.key.slice(0, begin, end),
                                            in.value.slice(0, begin, end)));
    cache.advance(end - begin);
  }
  EXPECT_TRUE(at::allclose(at::cat(parts), whole, 1e-4, 1e-5));
  EXPECT_THROW(cache.append_and_attend(0, in.query.slice(0, 0, 1), in.key.slice(0, 0, 1),
                                       in.value.slice(0, 0, 1)),
               InternalError);
}

TEST(KvCache, ACopyGoesOnByItself) {
  const at::NoGradGuard no_grad;
  const Inputs in = random_inputs(6, 2, 2, 4);
  KvCache cache(1, 4, 2, 4, in.key.options());
  const auto put = [&](KvCache& target, std::int64_t begin, std::int64_t end) {
    const Tensor out =
        target.append_and_attend(0, in.query.slice(0, begin, end), in.key.slice(0, begin, end),
                                 in.value.slice(0, begin, end));
    target.advance(end - begin);
    return out;
  };
  put(cache, 0, 4);
  KvCache copy = cache.copy(6);
  EXPECT_TRUE(at::allclose(put(copy, 4, 6), by_dense_mask(in, {{6}, {-1}, true}).slice(0, 4, 6),
                           1e-4, 1e-5));
  EXPECT_EQ(cache.length(), 4);
}

}  // namespace
}  // namespace tarsier
