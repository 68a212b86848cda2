#include "tarsier/base/random.h"

#include <cmath>
#include <numbers>

namespace tarsier {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

}  // namespace

Random::Random(std::initializer_list<std::uint64_t> key)
    : key_(0x243f6a8885a308d3ULL), counter_(0) {
  for (const std::uint64_t part : key) key_ = mix(key_ + kGolden + mix(part + kGolden));
}

// Two rounds with the key in between: neighbouring keys and neighbouring counters give unrelated
// numbers.
std::uint64_t Random::next() { return mix(mix(++counter_ * kGolden + key_) ^ key_); }

std::int64_t Random::integer(std::int64_t low, std::int64_t high) {
  const std::uint64_t range =
      static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  if (range == 0) return static_cast<std::int64_t>(next());
  const std::uint64_t limit =
      UINT64_MAX - UINT64_MAX % range;  // rejection keeps every value equally likely
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + value % range);
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace tarsier
