#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace tarsier {

/// A counter-based generator: the n-th number is a pure function of (key, n), the same on every
/// machine. Its whole state is two numbers, so a stream is saved, resumed and split exactly. Not
/// for cryptography.
class Random {
 public:
  explicit Random(std::uint64_t key, std::uint64_t counter = 0) : key_(key), counter_(counter) {}
  /// An independent stream for each tuple, e.g. {split, seed, clip}.
  explicit Random(std::initializer_list<std::uint64_t> key);

  std::uint64_t next();  // uniform over 64 bits
  std::int64_t integer(std::int64_t low,
                       std::int64_t high);  // uniform over [low, high], both included
  double uniform();                         // [0, 1), 53 bits
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  double normal();  // mean 0, deviation 1; two numbers of the stream
  template <class Container>
  const auto& pick(const Container& items) {
    return items[static_cast<std::size_t>(
        integer(0, static_cast<std::int64_t>(std::size(items)) - 1))];
  }
  template <class Container>
  void shuffle(Container& items) {  // Fisher-Yates
    for (std::int64_t i = static_cast<std::int64_t>(std::size(items)) - 1; i > 0; --i) {
      using std::swap;
      swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(integer(0, i))]);
    }
  }

  std::uint64_t key() const { return key_; }
  std::uint64_t counter() const { return counter_; }

 private:
  std::uint64_t key_;
  std::uint64_t counter_;
};

}  // namespace tarsier
