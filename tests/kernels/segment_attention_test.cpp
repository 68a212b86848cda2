#include "tarsier/kernels/segment_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/kernels/reference/segment_attention.h"

namespace tarsier {
namespace {

struct Case {
  std::vector<std::int64_t> lengths, parent;
  bool causal;
  std::int64_t repeat, head_dim;
};

// The arrays of one unit, with a gap between tokens and between segments that nothing may touch.
struct Unit {
  explicit Unit(const Case& c, std::uint64_t seed = 1) : parent(c.parent) {
    std::int64_t token = 3;
    for (const std::int64_t length : c.lengths) {
      begin.push_back(token);
      end.push_back(token += length);
      token += 2;
    }
    const std::int64_t q_stride = c.repeat * c.head_dim + 5, k_stride = c.head_dim + 3;
    Random random(seed);
    const auto filled = [&](std::int64_t stride, double scale) {
      std::vector<float> values(static_cast<std::size_t>(token * stride));
      for (float& v : values) v = static_cast<float>(random.uniform(-scale, scale));
      return values;
    };
    query = filled(q_stride, 2);
    key = filled(k_stride, 2);
    value = filled(k_stride, 1);
    grad_output = filled(q_stride, 1);
    const auto blank = [](const std::vector<float>& like) {
      return std::vector<float>(like.size(), kUntouched);
    };
    output = grad_query = blank(query);
    grad_key = grad_value = blank(key);
    log_sum.assign(static_cast<std::size_t>(token * c.repeat), kUntouched);
    view.segments = static_cast<std::int64_t>(begin.size());
    view.causal = c.causal;
    view.repeat = c.repeat;
    view.head_dim = c.head_dim;
    view.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)));
    view.begin = begin.data();
    view.end = end.data();
    view.parent = parent.data();
    view.query = {query.data(), q_stride, c.head_dim};
    view.key = {key.data(), k_stride, 0};
    view.value = {value.data(), k_stride, 0};
    view.output = {output.data(), q_stride, c.head_dim};
    view.log_sum = log_sum.data();
    view.log_sum_token_stride = c.repeat;
    view.grad_output = {grad_output.data(), q_stride, c.head_dim};
    view.grad_query = {grad_query.data(), q_stride, c.head_dim};
    view.grad_key = {grad_key.data(), k_stride, 0};
    view.grad_value = {grad_value.data(), k_stride, 0};
  }
  Unit(const Unit&) = delete;

  void run(const SegmentAttentionKernels& kernels) {
    const auto floats = std::max(kernels.forward_scratch(view), kernels.backward_scratch(view));
    // What was in the scratch memory must not matter.
    std::vector<float> scratch(static_cast<std::size_t>(floats),
                               std::numeric_limits<float>::quiet_NaN());
    kernels.forward(view, scratch.data());
    std::fill(scratch.begin(), scratch.end(), std::numeric_limits<float>::quiet_NaN());
    kernels.backward(view, scratch.data());
  }

  static constexpr float kUntouched = 12345;
  std::vector<std::int64_t> begin, end, parent;
  std::vector<float> query, key, value, grad_output, output, log_sum, grad_query, grad_key,
      grad_value;
  AttentionUnit view;
};

// Largest difference in units of the larger of 1 and the expected value.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(static_cast<double>(a[i]) - b[i]);
    most = std::isnan(d) ? INFINITY : std::max(most, d / std::max(1.0, std::fabs(double{b[i]})));
  }
  return most;
}

std::vector<Isa> isas() {
  std::vector<Isa> out;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa <= detected_isa()) out.push_back(isa);
  }
  return out;
}

const Case kCases[] = {
    {{1}, {-1}, true, 1, 1},
    {{1}, {-1}, false, 7, 20},
    {{2}, {-1}, true, 3, 32},
    {{36}, {-1}, false, 1, 32},
    {{37, 16, 15, 17}, {-1, 0, 0, 0}, true, 3, 32},
    {{16, 1, 33, 5, 2}, {-1, 0, 1, 0, 2}, true, 2, 20},  // grandchildren
    {{20, 9, 31, 4}, {-1, 0, 1, 2}, false, 4, 80},       // a chain
    {{110, 15, 60, 22, 48, 37, 29}, {-1, 0, 0, 0, 0, 0, 0}, true, 3, 32},
    {{50, 40}, {-1, 0}, true, 7, 128},
    {{19, 3}, {-1, 0}, true, 60, 16},  // more heads than a block has queries
    {{300, 290, 20}, {-1, 0, 1}, true, 1, 48},
    {{700}, {-1}, true, 2, 32},
    {{700}, {-1}, false, 1, 1},
    {{40, 9}, {-1, 0}, true, 1, kMaxHeadDim},
};

TEST(SegmentAttentionKernels, EqualTheReference) {
  for (const Case& c : kCases) {
    Unit expected(c);
    expected.run(reference_segment_attention_kernels());
    for (const Isa isa : isas()) {
      SCOPED_TRACE(std::string(to_string(isa)) + ", case " + std::to_string(&c - kCases));
      Unit actual(c);
      actual.run(segment_attention_kernels(isa));
      EXPECT_LT(difference(actual.output, expected.output), 2e-6);
      EXPECT_LT(difference(actual.log_sum, expected.log_sum), 2e-6);
      EXPECT_LT(difference(actual.grad_query, expected.grad_query), 2e-6);
      EXPECT_LT(difference(actual.grad_key, expected.grad_key), 2e-6);
      EXPECT_LT(difference(actual.grad_value, expected.grad_value), 2e-6);
    }
  }
}

TEST(SegmentAttentionKernels, EqualTheReferenceOnRandomTrees) {
  Random random(7);
  for (std::uint64_t round = 0; round < 40; ++round) {
    Case c{{}, {}, random.chance(0.5), random.integer(1, 7), random.integer(1, 70)};
    const std::int64_t segments = random.integer(1, 6);
    for (std::int64_t i = 0; i < segments; ++i) {
      c.lengths.push_back(random.integer(1, 50));
      c.parent.push_back(i == 0 ? -1 : random.integer(0, i - 1));
    }
    Unit expected(c, round);
    expected.run(reference_segment_attention_kernels());
    for (const Isa isa : isas()) {
      SCOPED_TRACE(std::string(to_string(isa)) + ", round " + std::to_string(round));
      Unit actual(c, round);
      actual.run(segment_attention_kernels(isa));
      EXPECT_LT(difference(actual.output, expected.output), 2e-6);
      EXPECT_LT(difference(actual.grad_query, expected.grad_query), 2e-6);
      EXPECT_LT(difference(actual.grad_key, expected.grad_key), 2e-6);
      EXPECT_LT(difference(actual.grad_value, expected.grad_value), 2e-6);
    }
  }
}

TEST(SegmentAttentionKernels, KeepLargeScoresFinite) {
  for (const Isa isa : isas()) {
    Unit unit({{300, 20}, {-1, 0}, true, 2, 16});
    for (float& v : unit.query) v *= 1000;
    unit.run(segment_attention_kernels(isa));
    for (const auto* values : {&unit.output, &unit.grad_query, &unit.grad_key, &unit.grad_value}) {
      EXPECT_TRUE(
          std::all_of(values->begin(), values->end(), [](float v) { return std::isfinite(v); }));
    }
  }
}

TEST(SegmentAttentionKernels, PassNaNOn) {
  for (const Isa isa : isas()) {
    Unit unit({{30}, {-1}, true, 1, 16});
    unit.key[static_cast<std::size_t>(unit.begin[0] * unit.view.key.token_stride)] = NAN;
    unit.run(segment_attention_kernels(isa));
    for (std::int64_t t = unit.begin[0]; t < unit.end[0]; ++t)
      EXPECT_TRUE(
          std::isnan(unit.output[static_cast<std::size_t>(t * unit.view.output.token_stride)]));
  }
}

}  // namespace
}  // namespace tarsier
