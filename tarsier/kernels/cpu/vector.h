#pragma once

#include <cstdint>

// Vectors of floats as wide as the instruction set the including source is compiled for. All of it
// has internal linkage, so that no other source is given code for a set its machine may lack.

namespace tarsier::TARSIER_ISA {
namespace {

#if defined(__AVX512F__)
constexpr std::int64_t kLanes = 16;
#elif defined(__AVX2__)
constexpr std::int64_t kLanes = 8;
#else
constexpr std::int64_t kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedVec __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef std::int32_t IntVec __attribute__((vector_size(4 * kLanes)));
typedef std::uint32_t BitsVec __attribute__((vector_size(4 * kLanes)));

inline Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
inline Vec splat(float x) { return Vec{} + x; }

// The first `count` lanes from memory, zero in the others.
inline Vec load_first(const float* p, std::int64_t count) {
  if (count >= kLanes) return load(p);
  float lanes[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = p[i];
  return load(lanes);
}

inline void store_first(float* p, Vec v, std::int64_t count) {
  if (count >= kLanes) return store(p, v);
  for (std::int64_t i = 0; i < count; ++i) p[i] = v[i];
}

inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// The lanes of a and b by turns, from their first and from their second halves.
inline Vec interleave_first(Vec a, Vec b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}

inline Vec interleave_second(Vec a, Vec b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

// A square of kLanes rows; log2(kLanes) interleavings turn it over.
inline void transpose(Vec (&rows)[kLanes]) {
#pragma GCC unroll 4
  for (std::int64_t step = 1; step < kLanes; step *= 2) {
    Vec next[kLanes];
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave_first(rows[i], rows[i + kLanes / 2]);
      next[2 * i + 1] = interleave_second(rows[i], rows[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

// All lanes brought together by `combine`, in pairs.
template <typename Combine>
inline float reduce(Vec v, Combine combine) {
  const Vec zero{};
#if defined(__AVX512F__)
  v = combine(
      v, __builtin_shufflevector(v, zero, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = combine(
      v, __builtin_shufflevector(v, zero, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = combine(
      v, __builtin_shufflevector(v, zero, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
#elif defined(__AVX2__)
  v = combine(v, __builtin_shufflevector(v, zero, 4, 5, 6, 7, 0, 1, 2, 3));
  v = combine(v, __builtin_shufflevector(v, zero, 2, 3, 0, 1, 6, 7, 4, 5));
#else
  v = combine(v, __builtin_shufflevector(v, zero, 2, 3, 0, 1));
#endif
  const float first = v[0], second = v[1];
  return combine(Vec{first}, Vec{second})[0];
}

inline float sum_of(Vec v) {
  return reduce(v, [](Vec a, Vec b) { return a + b; });
}
inline float largest_of(Vec v) { return reduce(v, larger); }

// 2^x for x <= 0, within 2 units in the last place; 0 below -126, where f32 becomes subnormal. NaN
// gives NaN.
inline Vec exp2_of_nonpositive(Vec x) {
  const Vec lowest = splat(-126.0f);
  const Vec clamped = x < lowest ? lowest : x;
  const IntVec whole = __builtin_convertvector(clamped - 0.5f, IntVec);
  const Vec r = clamped - __builtin_convertvector(whole, Vec);  // in [-0.5, 0.5]
  Vec p = splat(1.535336188e-4f);
  p = p * r + 1.339887440e-3f;
  p = p * r + 9.618437357e-3f;
  p = p * r + 5.550332471e-2f;
  p = p * r + 2.402264791e-1f;
  p = p * r + 6.931472028e-1f;
  p = p * r + 1.0f;
  const BitsVec power = (reinterpret_cast<BitsVec>(whole) + 127u) << 23;
  p *= reinterpret_cast<Vec>(power);
  return x < lowest ? Vec{} : p;
}

}  // namespace
}  // namespace tarsier::TARSIER_ISA
