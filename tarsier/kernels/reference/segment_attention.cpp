#include "tarsier/kernels/reference/segment_attention.h"

#include <cmath>
#include <limits>
#include <vector>

namespace tarsier {
namespace {

// The tokens that the one at `token` of a segment sees.
std::vector<std::int64_t> visible_tokens(const AttentionUnit& u, std::int64_t segment,
                                         std::int64_t token) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t up = u.parent[segment]; up >= 0; up = u.parent[up]) {
    for (std::int64_t t = u.begin[up]; t < u.end[up]; ++t) tokens.push_back(t);
  }
  const std::int64_t end = u.causal ? token + 1 : u.end[segment];
  for (std::int64_t t = u.begin[segment]; t < end; ++t) tokens.push_back(t);
  return tokens;
}

template <typename Rows>
auto* row(const Rows& x, std::int64_t token, std::int64_t head) {
  return x.data + token * x.token_stride + head * x.head_stride;
}

double dot(const float* a, const float* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

template <typename Visit>  // void(token, head, visible tokens, their weights)
void for_queries(const AttentionUnit& u, const Visit& visit) {
  for (std::int64_t s = 0; s < u.segments; ++s) {
    for (std::int64_t t = u.begin[s]; t < u.end[s]; ++t) {
      const std::vector<std::int64_t> visible = visible_tokens(u, s, t);
      for (std::int64_t h = 0; h < u.repeat; ++h) {
        std::vector<double> weights;
        double top = -std::numeric_limits<double>::infinity(), sum = 0;
        for (const std::int64_t k : visible) {
          weights.push_back(u.scale * dot(row(u.query, t, h), row(u.key, k, 0), u.head_dim));
          top = std::fmax(top, weights.back());
        }
        for (double& w : weights) sum += w = std::exp(w - top);
        for (double& w : weights) w /= sum;
        if (u.log_sum != nullptr) {
          u.log_sum[t * u.log_sum_token_stride + h] =
              static_cast<float>((top + std::log(sum)) / std::log(2.0));
        }
        visit(t, h, visible, weights);
      }
    }
  }
}

void forward(const AttentionUnit& u, float*) {
  for_queries(u, [&](std::int64_t t, std::int64_t h, const std::vector<std::int64_t>& visible,
                     const std::vector<double>& weights) {
    for (std::int64_t j = 0; j < u.head_dim; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < visible.size(); ++i)
        sum += weights[i] * row(u.value, visible[i], 0)[j];
      row(u.output, t, h)[j] = static_cast<float>(sum);
    }
  });
}

void backward(const AttentionUnit& u, float*) {
  const std::int64_t d = u.head_dim;
  const auto tokens = static_cast<std::size_t>(u.end[u.segments - 1] * d);
  std::vector<double> grad_key(tokens), grad_value(tokens);
  for_queries(u, [&](std::int64_t t, std::int64_t h, const std::vector<std::int64_t>& visible,
                     const std::vector<double>& weights) {
    std::vector<double> grad_weights, grad_query(static_cast<std::size_t>(d));
    double mean = 0;
    for (std::size_t i = 0; i < visible.size(); ++i) {
      grad_weights.push_back(dot(row(u.grad_output, t, h), row(u.value, visible[i], 0), d));
      mean += weights[i] * grad_weights.back();
    }
    for (std::size_t i = 0; i < visible.size(); ++i) {
      const double grad_score = u.scale * weights[i] * (grad_weights[i] - mean);
      for (std::int64_t j = 0; j < d; ++j) {
        const auto at = static_cast<std::size_t>(visible[i] * d + j);
        grad_query[static_cast<std::size_t>(j)] += grad_score * row(u.key, visible[i], 0)[j];
        grad_key[at] += grad_score * row(u.query, t, h)[j];
        grad_value[at] += weights[i] * row(u.grad_output, t, h)[j];
      }
    }
    for (std::int64_t j = 0; j < d; ++j)
      row(u.grad_query, t, h)[j] = static_cast<float>(grad_query[static_cast<std::size_t>(j)]);
  });
  for (std::int64_t s = 0; s < u.segments; ++s) {
    for (std::int64_t t = u.begin[s]; t < u.end[s]; ++t) {
      for (std::int64_t j = 0; j < d; ++j) {
        const auto at = static_cast<std::size_t>(t * d + j);
        row(u.grad_key, t, 0)[j] = static_cast<float>(grad_key[at]);
        row(u.grad_value, t, 0)[j] = static_cast<float>(grad_value[at]);
      }
    }
  }
}

std::int64_t no_scratch(const AttentionUnit&) { return 0; }

}  // namespace

const SegmentAttentionKernels& reference_segment_attention_kernels() {
  static constexpr SegmentAttentionKernels kKernels{no_scratch, no_scratch, forward, backward};
  return kKernels;
}

}  // namespace tarsier
