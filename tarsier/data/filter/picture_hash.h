#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "tarsier/media/frame.h"

namespace tarsier {

/// A picture in 64 bits that change little under another size, rate or quality: which of the 63
/// lowest waves of a 32 x 32 grey version (two-dimensional cosine transform, the mean left out) are
/// above their median. Waves weaker than 4 grey levels count as none, so that flat pictures are
/// alike. The top bit is 0.
std::uint64_t picture_hash(std::span<const std::uint8_t> rgb, Size size);

/// How many bits differ.
int hash_distance(std::uint64_t a, std::uint64_t b);

/// Finds hashes within a distance without looking at all of them: 64 bits in four bands of 16; two
/// hashes that differ in `distance` bits differ in at most distance / 4 bits of some band, so the
/// buckets that near in each band hold every match (multi-index hashing).
class HashIndex {
 public:
  static constexpr int kMaxDistance = 15;

  /// 0 <= distance <= kMaxDistance.
  explicit HashIndex(int distance);

  void add(std::uint64_t hash, std::int64_t item);
  /// Items within the distance, ascending, each once.
  std::vector<std::int64_t> near(std::uint64_t hash) const;

 private:
  int distance_;
  std::vector<std::uint16_t> flips_;  // every pattern of at most distance / 4 bits
  struct Entry {
    std::uint64_t hash;
    std::int64_t item;
  };
  std::vector<Entry> entries_;
  std::unordered_map<std::uint32_t, std::vector<std::int64_t>> buckets_;  // band and bits -> entry
};

}  // namespace tarsier
