#include "tarsier/nn/attention.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/nn/kv_cache.h"

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
  Tensor mask = at::full({tokens, tokens}, -INFINITY);
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
