#pragma once

#include <cstddef>
#include <cstdint>

#include "tarsier/kernels/cpu/vector.h"

// Small matrix products that keep a tile of the result in registers. Internal linkage, as in
// vector.h.

namespace tarsier::TARSIER_ISA {
namespace {

// Floats from one row to the next of the left factor: fixed, so that a tile's rows are constant
// offsets from one pointer, and no power of two, so that they fall into different sets of the
// cache.
constexpr std::int64_t kRowStride = 272;

// The right factor as vectors: the one of row k and columns v * kLanes ... at data + k * row_stride
// + v * vector_stride.
struct Panels {
  const float* data;
  std::int64_t row_stride, vector_stride;
};

#if defined(__AVX512F__)
constexpr std::int64_t kTileVectors = 4;
constexpr std::int64_t tile_rows(std::int64_t vectors) {
  return vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
}
#else
constexpr std::int64_t kTileVectors = 2;
#if defined(__AVX2__)
constexpr std::int64_t tile_rows(std::int64_t vectors) { return vectors == 2 ? 6 : 12; }
#else
constexpr std::int64_t tile_rows(std::int64_t vectors) { return vectors == 2 ? 5 : 8; }
#endif
#endif

enum class Left { plain, transposed };
enum class Result { overwrite, add };

template <Left kLeft, int kVectors, int kRows>
void multiply_tile(std::int64_t depth, const float* left, const float* right,
                   std::int64_t row_stride, std::int64_t vector_stride, float* result,
                   std::int64_t result_stride, Result mode) {
  constexpr std::int64_t left_row = kLeft == Left::plain ? kRowStride : 1;
  constexpr std::int64_t left_step = kLeft == Left::plain ? 1 : kRowStride;
  Vec sums[std::size_t{kRows}][std::size_t{kVectors}] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vec b[std::size_t{kVectors}];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) b[v] = load(right + v * vector_stride);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const float a = left[r * left_row];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] += a * b[v];
    }
    left += left_step;
    right += row_stride;
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float* at = result + r * result_stride + v * kLanes;
      store(at, mode == Result::add ? load(at) + sums[r][v] : sums[r][v]);
    }
  }
}

template <Left kLeft, int kVectors>
void multiply_columns(std::int64_t rows, std::int64_t depth, const float* left, const float* right,
                      std::int64_t row_stride, std::int64_t vector_stride, float* result,
                      std::int64_t result_stride, Result mode) {
  constexpr std::int64_t most = tile_rows(kVectors);
  // Tiles of nearly equal height: a short last one would leave the multipliers waiting.
  for (std::int64_t tiles = (rows + most - 1) / most; tiles > 0; --tiles) {
    const std::int64_t height = (rows + tiles - 1) / tiles;
    const auto tile = [&]<int kRows>() {
      if constexpr (kRows <= most)
        multiply_tile<kLeft, kVectors, kRows>(depth, left, right, row_stride, vector_stride, result,
                                              result_stride, mode);
    };
    switch (height) {
      case 1:
        tile.template operator()<1>();
        break;
      case 2:
        tile.template operator()<2>();
        break;
      case 3:
        tile.template operator()<3>();
        break;
      case 4:
        tile.template operator()<4>();
        break;
      case 5:
        tile.template operator()<5>();
        break;
      case 6:
        tile.template operator()<6>();
        break;
      case 7:
        tile.template operator()<7>();
        break;
      case 8:
        tile.template operator()<8>();
        break;
      case 9:
        tile.template operator()<9>();
        break;
      case 10:
        tile.template operator()<10>();
        break;
      case 11:
        tile.template operator()<11>();
        break;
      default:
        tile.template operator()<12>();
    }
    rows -= height;
    left += height * (kLeft == Left::plain ? kRowStride : 1);
    result += height * result_stride;
  }
}

/// result [rows, vectors * kLanes] = left [rows, depth] * right [depth, vectors * kLanes], or added
/// to it. `left` lies with kRowStride from row to row, transposed with kRowStride from column to
/// column.
template <Left kLeft>
void multiply(std::int64_t rows, std::int64_t vectors, std::int64_t depth, const float* left,
              Panels right, float* result, std::int64_t result_stride, Result mode) {
  for (std::int64_t tiles = (vectors + kTileVectors - 1) / kTileVectors; tiles > 0; --tiles) {
    const std::int64_t width = (vectors + tiles - 1) / tiles;
    const auto columns = [&]<int kVectors>() {
      if constexpr (kVectors <= kTileVectors)
        multiply_columns<kLeft, kVectors>(rows, depth, left, right.data, right.row_stride,
                                          right.vector_stride, result, result_stride, mode);
    };
    switch (width) {
      case 1:
        columns.template operator()<1>();
        break;
      case 2:
        columns.template operator()<2>();
        break;
      case 3:
        columns.template operator()<3>();
        break;
      default:
        columns.template operator()<4>();
    }
    vectors -= width;
    right.data += width * right.vector_stride;
    result += width * kLanes;
  }
}

}  // namespace
}  // namespace tarsier::TARSIER_ISA
