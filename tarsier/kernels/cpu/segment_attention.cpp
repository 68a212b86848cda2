#include "tarsier/kernels/segment_attention.h"

#include "tarsier/kernels/cpu/attention_blocks.h"

namespace tarsier::TARSIER_ISA {
namespace {

constexpr float kLog2E = 1.44269504f, kLn2 = 0.693147181f;

// Hands out the scratch memory, each array on cache lines of its own.
class Scratch {
 public:
  explicit Scratch(float* memory) : next_(memory) {}
  float* take(std::int64_t floats) {
    float* at = next_;
    next_ += round_up(floats, 16);
    return at;
  }

 private:
  float* next_;
};

// Scratch of both passes: rows of queries and packed keys.
std::int64_t scratch_floats(const AttentionUnit& u, std::int64_t wide, std::int64_t narrow,
                            std::int64_t packed) {
  return wide * query_rows(u) * kRowStride + narrow * round_up(query_rows(u), 16) +
         packed * round_up(packed_rows(u) * padded_dim(u), 16);
}

std::int64_t forward_scratch(const AttentionUnit& u) { return scratch_floats(u, 3, 2, 2); }
std::int64_t backward_scratch(const AttentionUnit& u) { return scratch_floats(u, 5, 2, 5); }

template <typename Rows>
auto* row(const Rows& x, std::int64_t token, std::int64_t head) {
  return x.data + token * x.token_stride + head * x.head_stride;
}

// A block's rows [tokens * repeat, head_dim], kRowStride apart.
void pack_queries(const AttentionUnit& u, const QueryBlock& queries, const HeadRows& from,
                  float factor, float* to) {
  const std::int64_t begin = u.begin[queries.segment] + queries.first;
  for (std::int64_t t = 0; t < queries.tokens; ++t) {
    pack_rows(row(from, begin + t, 0), from.head_stride, u.repeat, u.head_dim, factor,
              to + t * u.repeat * kRowStride, kRowStride);
  }
}

void unpack_row(const float* from, std::int64_t head_dim, float factor, float* to) {
  for (std::int64_t j = 0; j < head_dim; j += kLanes)
    store_first(to + j, factor * load(from + j), head_dim - j);
}

// products [rows of queries, keys of the block] = left * packed^T
void multiply_by_keys(const AttentionUnit& u, std::int64_t rows, const KeyBlock& block,
                      const float* left, const float* packed, float* products) {
  for (std::int64_t p = 0; p < block.count; ++p) {
    const KeyPiece& piece = block.pieces[p];
    multiply<Left::plain>(rows, (piece.count + kLanes - 1) / kLanes, u.head_dim, left,
                          as_columns(packed, piece.row, padded_dim(u)), products + piece.column,
                          kRowStride, Result::overwrite);
  }
}

// sums [rows of queries, head_dim] += weights * packed
void sum_over_keys(const AttentionUnit& u, std::int64_t rows, const KeyBlock& block,
                   const float* weights, const float* packed, float* sums, bool overwrite) {
  for (std::int64_t p = 0; p < block.count; ++p) {
    const KeyPiece& piece = block.pieces[p];
    multiply<Left::plain>(rows, padded_dim(u) / kLanes, piece.count, weights + piece.column,
                          as_rows(packed, piece.row, padded_dim(u)), sums, kRowStride,
                          overwrite && p == 0 ? Result::overwrite : Result::add);
  }
}

// packed [keys of the block, head_dim] += weights^T * right
void add_to_keys(const AttentionUnit& u, std::int64_t rows, const KeyBlock& block,
                 const float* weights, const float* right, float* packed) {
  for (std::int64_t p = 0; p < block.count; ++p) {
    const KeyPiece& piece = block.pieces[p];
    multiply<Left::transposed>(piece.count, padded_dim(u) / kLanes, rows, weights + piece.column,
                               {right, kRowStride, kLanes}, packed + piece.row * padded_dim(u),
                               padded_dim(u), Result::add);
  }
}

// Takes one row of scores into the running softmax: scores become weights relative to the new
// maximum `top`. What was summed before, in `sum` and in `output`, is brought to that maximum;
// `sum` is 0 when there is nothing yet.
void soften_row(std::int64_t columns, float* scores, float& top, float& sum, float* output,
                std::int64_t padded) {
  Vec most = load(scores);
  for (std::int64_t c = kLanes; c < columns; c += kLanes) most = larger(most, load(scores + c));
  const float highest = largest_of(most);
  const float next = highest > top ? highest : top;
  Vec total{};
  for (std::int64_t c = 0; c < columns; c += kLanes) {
    const Vec weights = exp2_of_nonpositive(load(scores + c) - next);
    store(scores + c, weights);
    total += weights;
  }
  const float added = sum_of(total);
  if (sum == 0) {
    sum = added;
  } else {
    const Vec factor = exp2_of_nonpositive(splat(top - next));
    sum = sum * factor[0] + added;
    for (std::int64_t j = 0; j < padded; j += kLanes) store(output + j, factor * load(output + j));
  }
  top = next;
}

void forward(const AttentionUnit& u, float* memory) {
  const std::int64_t padded = padded_dim(u), most = query_rows(u);
  Scratch scratch(memory);
  float* const query = scratch.take(most * kRowStride);
  float* const scores = scratch.take(most * kRowStride);
  float* const output = scratch.take(most * kRowStride);
  float* const top = scratch.take(most);
  float* const sum = scratch.take(most);
  float* const key = scratch.take(packed_rows(u) * padded);
  float* const value = scratch.take(packed_rows(u) * padded);
  for (std::int64_t s = 0; s < u.segments; ++s) {
    const std::int64_t length = u.end[s] - u.begin[s], at = packed_row(u, s) * padded;
    pack_panels(row(u.key, u.begin[s], 0), u.key.token_stride, length, u.head_dim, key + at);
    pack_rows(row(u.value, u.begin[s], 0), u.value.token_stride, length, u.head_dim, 1, value + at,
              padded);
  }
  for_query_blocks(u, [&](const QueryBlock& queries) {
    const std::int64_t rows = queries.tokens * u.repeat;
    const std::int64_t begin = u.begin[queries.segment] + queries.first;
    pack_queries(u, queries, u.query, u.scale * kLog2E, query);
    KeyBlocks blocks(u, queries);
    KeyBlock block;
    for (bool first = true; blocks.next(block); first = false) {
      multiply_by_keys(u, rows, block, query, key, scores);
      hide(u, queries, block, scores);
      for (std::int64_t r = 0; r < rows; ++r) {
        if (first) {
          top[r] = -__builtin_inff();
          sum[r] = 0;
        }
        soften_row(block.columns, scores + r * kRowStride, top[r], sum[r], output + r * kRowStride,
                   padded);
      }
      sum_over_keys(u, rows, block, scores, value, output, first);
    }
    for (std::int64_t t = 0, r = 0; t < queries.tokens; ++t) {
      for (std::int64_t h = 0; h < u.repeat; ++h, ++r) {
        unpack_row(output + r * kRowStride, u.head_dim, 1 / sum[r], row(u.output, begin + t, h));
        if (u.log_sum != nullptr)
          u.log_sum[(begin + t) * u.log_sum_token_stride + h] = top[r] + __builtin_log2f(sum[r]);
      }
    }
  });
}

// The sum over head_dim of a query's output times its gradient: what the softmax takes from every
// gradient of a weight.
float output_dot_gradient(const AttentionUnit& u, std::int64_t token, std::int64_t head) {
  const float* a = row(u.output, token, head);
  const float* b = row(u.grad_output, token, head);
  Vec total{};
  for (std::int64_t j = 0; j < u.head_dim; j += kLanes)
    total += load_first(a + j, u.head_dim - j) * load_first(b + j, u.head_dim - j);
  return sum_of(total);
}

void backward(const AttentionUnit& u, float* memory) {
  const std::int64_t padded = padded_dim(u), most = query_rows(u), keys = packed_rows(u) * padded;
  Scratch scratch(memory);
  float* const query = scratch.take(most * kRowStride);
  float* const grad_output = scratch.take(most * kRowStride);
  float* const grad_query = scratch.take(most * kRowStride);
  float* const weights = scratch.take(most * kRowStride);
  float* const grad_scores = scratch.take(most * kRowStride);
  float* const log_sum = scratch.take(most);
  float* const mean = scratch.take(most);
  float* const key_columns = scratch.take(keys);
  float* const key_rows = scratch.take(keys);
  float* const value_columns = scratch.take(keys);
  float* const grad_key = scratch.take(keys);
  float* const grad_value = scratch.take(keys);
  for (std::int64_t s = 0; s < u.segments; ++s) {
    const std::int64_t length = u.end[s] - u.begin[s], at = packed_row(u, s) * padded;
    const float* k = row(u.key, u.begin[s], 0);
    pack_panels(k, u.key.token_stride, length, u.head_dim, key_columns + at);
    pack_rows(k, u.key.token_stride, length, u.head_dim, 1, key_rows + at, padded);
    pack_panels(row(u.value, u.begin[s], 0), u.value.token_stride, length, u.head_dim,
                value_columns + at);
    for (std::int64_t i = at; i < at + length * padded; ++i) grad_key[i] = grad_value[i] = 0;
  }
  for_query_blocks(u, [&](const QueryBlock& queries) {
    const std::int64_t rows = queries.tokens * u.repeat;
    const std::int64_t begin = u.begin[queries.segment] + queries.first;
    pack_queries(u, queries, u.query, u.scale * kLog2E, query);
    pack_queries(u, queries, u.grad_output, 1, grad_output);
    for (std::int64_t t = 0, r = 0; t < queries.tokens; ++t) {
      for (std::int64_t h = 0; h < u.repeat; ++h, ++r) {
        log_sum[r] = u.log_sum[(begin + t) * u.log_sum_token_stride + h];
        mean[r] = output_dot_gradient(u, begin + t, h);
      }
    }
    KeyBlocks blocks(u, queries);
    KeyBlock block;
    for (bool first = true; blocks.next(block); first = false) {
      multiply_by_keys(u, rows, block, query, key_columns, weights);
      multiply_by_keys(u, rows, block, grad_output, value_columns, grad_scores);
      hide(u, queries, block, weights);
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = r * kRowStride; c < r * kRowStride + block.columns; c += kLanes) {
          const Vec weight = exp2_of_nonpositive(load(weights + c) - log_sum[r]);
          store(weights + c, weight);
          store(grad_scores + c, weight * (load(grad_scores + c) - mean[r]));
        }
      }
      sum_over_keys(u, rows, block, grad_scores, key_rows, grad_query, first);
      add_to_keys(u, rows, block, weights, grad_output, grad_value);
      add_to_keys(u, rows, block, grad_scores, query, grad_key);
    }
    for (std::int64_t t = 0, r = 0; t < queries.tokens; ++t) {
      for (std::int64_t h = 0; h < u.repeat; ++h, ++r)
        unpack_row(grad_query + r * kRowStride, u.head_dim, u.scale,
                   row(u.grad_query, begin + t, h));
    }
  });
  for (std::int64_t s = 0; s < u.segments; ++s) {
    for (std::int64_t t = u.begin[s]; t < u.end[s]; ++t) {
      const std::int64_t at = (packed_row(u, s) + t - u.begin[s]) * padded;
      // The packed queries carry scale * log2(e); times ln(2) leaves the scale.
      unpack_row(grad_key + at, u.head_dim, kLn2, row(u.grad_key, t, 0));
      unpack_row(grad_value + at, u.head_dim, 1, row(u.grad_value, t, 0));
    }
  }
}

}  // namespace

extern const SegmentAttentionKernels kSegmentAttention;
const SegmentAttentionKernels kSegmentAttention{forward_scratch, backward_scratch, forward,
                                                backward};

}  // namespace tarsier::TARSIER_ISA
