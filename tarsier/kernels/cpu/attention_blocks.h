#pragma once

#include "tarsier/kernels/cpu/matrix_product.h"
#include "tarsier/kernels/segment_attention.h"

// How attention is cut into blocks of queries and keys, and how those are laid out for the matrix
// products. Internal linkage, as in vector.h.

namespace tarsier::TARSIER_ISA {
namespace {

// Queries (tokens times heads) and keys of one block: their scores stay in the nearer caches.
constexpr std::int64_t kBlockQueries = 36;
constexpr std::int64_t kBlockKeys = 256;
// Keys of one segment begin at a multiple of this, a whole number of vectors of any width.
constexpr std::int64_t kKeyStep = 16;
constexpr std::int64_t kMaxPieces = kBlockKeys / kKeyStep;
static_assert(kBlockKeys <= kRowStride && kMaxHeadDim <= kRowStride);

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t greater(std::int64_t a, std::int64_t b) { return a > b ? a : b; }
inline std::int64_t round_up(std::int64_t x, std::int64_t step) {
  return (x + step - 1) / step * step;
}

// head_dim in whole vectors.
inline std::int64_t padded_dim(const AttentionUnit& u) { return round_up(u.head_dim, kLanes); }

// Queries of a block at most: those of one token stay together.
inline std::int64_t query_rows(const AttentionUnit& u) { return greater(kBlockQueries, u.repeat); }

// Where a segment's keys begin in packed order. Needs no table: each segment but costs up to
// kKeyStep rows more than it has tokens.
inline std::int64_t packed_row(const AttentionUnit& u, std::int64_t segment) {
  return ((u.begin[segment] - u.begin[0]) / kKeyStep + segment) * kKeyStep;
}
inline std::int64_t packed_rows(const AttentionUnit& u) {
  const std::int64_t last = u.segments - 1;
  return packed_row(u, last) + round_up(u.end[last] - u.begin[last], kKeyStep);
}

// Rows [count, head_dim] to rows of `padded` floats, `stride` apart, times `factor`.
inline void pack_rows(const float* from, std::int64_t from_stride, std::int64_t count,
                      std::int64_t head_dim, float factor, float* to, std::int64_t stride) {
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0; j < head_dim; j += kLanes)
      store(to + i * stride + j, factor * load_first(from + i * from_stride + j, head_dim - j));
  }
}

// Rows [count, head_dim] to panels of kLanes rows, turned over: [panels, padded, kLanes]. Rows
// missing from the last panel are zero.
inline void pack_panels(const float* from, std::int64_t from_stride, std::int64_t count,
                        std::int64_t head_dim, float* to) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t rows = smaller(kLanes, count - i);
    for (std::int64_t j = 0; j < head_dim; j += kLanes) {
      Vec square[kLanes];
      for (std::int64_t r = 0; r < kLanes; ++r) {
        square[r] = r < rows ? load_first(from + (i + r) * from_stride + j, head_dim - j) : Vec{};
      }
      transpose(square);
      for (std::int64_t r = 0; r < kLanes; ++r) store(to + r * kLanes, square[r]);
      to += kLanes * kLanes;
    }
  }
}

// The right factors of the products over keys: the packed rows are the depth, or the columns.
inline Panels as_rows(const float* packed, std::int64_t row, std::int64_t padded) {
  return {packed + row * padded, padded, kLanes};
}
inline Panels as_columns(const float* packed, std::int64_t row, std::int64_t padded) {
  return {packed + row * padded, kLanes, kLanes * padded};
}

// Consecutive tokens of one segment, with all heads of each.
struct QueryBlock {
  std::int64_t segment, first, tokens;  // `first` counts from the segment's begin
};

template <typename Visit>  // void(QueryBlock)
void for_query_blocks(const AttentionUnit& u, const Visit& visit) {
  const std::int64_t most = query_rows(u) / u.repeat;
  for (std::int64_t s = 0; s < u.segments; ++s) {
    const std::int64_t length = u.end[s] - u.begin[s];
    const std::int64_t blocks = (length + most - 1) / most;
    const std::int64_t step = (length + blocks - 1) / blocks;
    for (std::int64_t first = 0; first < length; first += step)
      visit(QueryBlock{s, first, smaller(step, length - first)});
  }
}

// Consecutive keys of one segment, and their columns in a block of scores.
struct KeyPiece {
  std::int64_t row, count, column;
  std::int64_t first_own;  // the first key's place in the queries' own segment, -1 in an ancestor
};

struct KeyBlock {
  KeyPiece pieces[kMaxPieces];
  std::int64_t count, columns;
};

// The keys a block of queries sees, in blocks of at most kBlockKeys columns: its own segment first,
// so that every query sees a key of the first block, then its ancestors upwards.
class KeyBlocks {
 public:
  KeyBlocks(const AttentionUnit& u, const QueryBlock& queries)
      : unit_(u),
        own_(queries.segment),
        segment_(queries.segment),
        left_(u.causal ? queries.first + queries.tokens : length(own_)) {}

  // False when there are no more.
  bool next(KeyBlock& block) {
    block.count = block.columns = 0;
    while (segment_ >= 0 && block.columns < kBlockKeys) {
      KeyPiece& piece = block.pieces[block.count++];
      piece = {packed_row(unit_, segment_) + done_, smaller(left_, kBlockKeys - block.columns),
               block.columns, segment_ == own_ ? done_ : -1};
      block.columns += round_up(piece.count, kKeyStep);
      done_ += piece.count;
      left_ -= piece.count;
      if (left_ > 0) break;
      segment_ = unit_.parent[segment_];
      done_ = 0;
      if (segment_ >= 0) left_ = length(segment_);
    }
    return block.count > 0;
  }

 private:
  std::int64_t length(std::int64_t segment) const {
    return unit_.end[segment] - unit_.begin[segment];
  }

  const AttentionUnit& unit_;
  std::int64_t own_, segment_, done_ = 0, left_;
};

// Scores that must not count become -infinity: later tokens than the query's, and the columns
// between pieces.
inline void hide(const AttentionUnit& u, const QueryBlock& queries, const KeyBlock& block,
                 float* scores) {
  Vec lane;
  for (std::int64_t i = 0; i < kLanes; ++i) lane[i] = static_cast<float>(i);
  const Vec hidden = splat(-__builtin_inff());
  for (std::int64_t p = 0; p < block.count; ++p) {
    const KeyPiece& piece = block.pieces[p];
    const std::int64_t end = round_up(piece.count, kKeyStep);
    for (std::int64_t t = 0; t < queries.tokens; ++t) {
      std::int64_t visible = piece.count;
      if (u.causal && piece.first_own >= 0) {
        const std::int64_t until = queries.first + t + 1 - piece.first_own;
        visible = smaller(visible, greater(until, 0));
      }
      const std::int64_t whole = visible / kLanes * kLanes;
      const Vec first_hidden = splat(static_cast<float>(visible - whole));
      for (std::int64_t h = 0; whole < end && h < u.repeat; ++h) {
        float* row = scores + (t * u.repeat + h) * kRowStride + piece.column;
        store(row + whole, lane < first_hidden ? load(row + whole) : hidden);
        for (std::int64_t c = whole + kLanes; c < end; c += kLanes) store(row + c, hidden);
      }
    }
  }
}

}  // namespace
}  // namespace tarsier::TARSIER_ISA
