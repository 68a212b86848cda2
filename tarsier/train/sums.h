#pragma once

#include <array>
#include <bit>

namespace tarsier {

// Structs of doubles and nothing else, as lists of them.

template <class Sums>
using MembersOf = std::array<double, sizeof(Sums) / sizeof(double)>;

template <class Sums>
Sums added(const Sums& a, const Sums& b) {
  auto sum = std::bit_cast<MembersOf<Sums>>(a);
  const auto more = std::bit_cast<MembersOf<Sums>>(b);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
  return std::bit_cast<Sums>(sum);
}

template <class Sums>
Sums scaled(const Sums& a, double factor) {
  auto product = std::bit_cast<MembersOf<Sums>>(a);
  for (double& value : product) value *= factor;
  return std::bit_cast<Sums>(product);
}

}  // namespace tarsier
