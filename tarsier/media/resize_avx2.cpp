#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "tarsier/media/resize_passes.h"

// A 24-bit weight is split as high * 2^12 + low, both of which fit the 16-bit multiply-add; sums
// wrap modulo 2^32, so the total is exactly the one of the portable loops.
namespace tarsier {
namespace {

constexpr int kLowBits = 12;
constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;
constexpr std::int32_t kHalf = 1 << (kResizeBits - 1);

/// Two weights as the 16-bit halves of one 32-bit lane.
std::int32_t pair_of(std::int32_t first, std::int32_t second) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xffffU) |
                                   (static_cast<std::uint32_t>(second) << 16));
}

__attribute__((target("avx2"))) void horizontal(const ResizeWeights& weights,
                                                const std::uint8_t* row, std::uint8_t* out) {
  // Four pixels r g b r g b ... -> in each half, 16-bit r0 r1 g0 g1 b0 b1 0 0 of two pixels.
  const __m256i spread =
      _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                       6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i low_mask = _mm256_set1_epi32(kLowMask);
  // 32-bit weights w0 w1 w2 w3 in both halves -> 16-bit w0 w1 in the first half, w2 w3 in the
  // second, repeated.
  const __m256i gather = _mm256_setr_epi8(0, 1, 4, 5, 0, 1, 4, 5, 0, 1, 4, 5, 0, 1, 4, 5,  //
                                          8, 9, 12, 13, 8, 9, 12, 13, 8, 9, 12, 13, 8, 9, 12, 13);
  const std::size_t outputs = weights.first.size();
  for (std::size_t i = 0; i < outputs; ++i) {
    const std::int32_t* weight = weights.of(static_cast<std::int64_t>(i));
    const std::uint8_t* pixel = row + weights.first[i] * 3;
    __m256i high = _mm256_setzero_si256();
    __m256i low = _mm256_setzero_si256();
    for (std::int64_t t = 0; t < weights.count[i]; t += 4) {
      const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixel + t * 3));
      const __m256i values = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(four), spread);
      const __m256i w = _mm256_broadcastsi128_si256(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(weight + t)));
      const __m256i w_high = _mm256_shuffle_epi8(_mm256_srai_epi32(w, kLowBits), gather);
      const __m256i w_low = _mm256_shuffle_epi8(_mm256_and_si256(w, low_mask), gather);
      high = _mm256_add_epi32(high, _mm256_madd_epi16(values, w_high));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(values, w_low));
    }
    const __m256i both = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(kHalf)), kResizeBits);
    sum = _mm_packs_epi32(sum, sum);
    sum = _mm_packus_epi16(sum, sum);
    const std::int32_t bytes = _mm_cvtsi128_si32(sum);
    std::memcpy(out, &bytes, 3);
    out += 3;
  }
}

__attribute__((target("avx2"))) void vertical(std::span<const std::int32_t> weights,
                                              const std::uint8_t* rows, std::int64_t stride,
                                              std::int64_t bytes, std::uint8_t* out) {
  const __m256i half = _mm256_set1_epi32(kHalf);
  for (std::int64_t x = 0; x < bytes; x += 16) {
    __m256i high0 = _mm256_setzero_si256(), high1 = high0, low0 = high0, low1 = high0;
    const std::uint8_t* row = rows + x;
    for (std::size_t t = 0; t < weights.size(); t += 2, row += 2 * stride) {
      const bool last = t + 1 == weights.size();
      const std::int32_t w0 = weights[t];
      const std::int32_t w1 = last ? 0 : weights[t + 1];
      const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
      const __m128i b = last ? a : _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + stride));
      const __m256i columns0 = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
      const __m256i columns1 = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
      const __m256i w_high = _mm256_set1_epi32(pair_of(w0 >> kLowBits, w1 >> kLowBits));
      const __m256i w_low = _mm256_set1_epi32(pair_of(w0 & kLowMask, w1 & kLowMask));
      high0 = _mm256_add_epi32(high0, _mm256_madd_epi16(columns0, w_high));
      high1 = _mm256_add_epi32(high1, _mm256_madd_epi16(columns1, w_high));
      low0 = _mm256_add_epi32(low0, _mm256_madd_epi16(columns0, w_low));
      low1 = _mm256_add_epi32(low1, _mm256_madd_epi16(columns1, w_low));
    }
    const __m256i sum0 = _mm256_srai_epi32(
        _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high0, kLowBits), low0), half),
        kResizeBits);
    const __m256i sum1 = _mm256_srai_epi32(
        _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high1, kLowBits), low1), half),
        kResizeBits);
    // packs works within halves: [0..3, 8..11 | 4..7, 12..15]; the permutation restores the order.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(sum0, sum1), 0xd8);
    const __m128i packed =
        _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x), packed);
  }
}

}  // namespace

ResizePasses fast_resize_passes() {
  if (__builtin_cpu_supports("avx2")) return {horizontal, vertical};
  return portable_resize_passes();
}

}  // namespace tarsier
