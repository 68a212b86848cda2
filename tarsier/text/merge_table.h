#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tarsier {

/// What two neighbouring tokens merge into, and how early (lowest rank first).
struct Merge {
  std::uint32_t rank;
  std::uint32_t result;
};

/// A pair of ids -> its merge: an open-addressed table, because encoding looks up every
/// neighbouring pair.
class MergeTable {
 public:
  explicit MergeTable(std::size_t merges = 0) : slots_(std::bit_ceil(2 * merges + 2)) {}

  /// A pair set twice keeps the later merge. At most as many pairs as the table was made for.
  void set(std::uint32_t left, std::uint32_t right, Merge merge) {
    slots_[slot_of(left, right)] = {left, right, merge};
  }

  const Merge* find(std::uint32_t left, std::uint32_t right) const {
    const Slot& slot = slots_[slot_of(left, right)];
    return slot.left == kFree ? nullptr : &slot.merge;
  }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;
  struct Slot {
    std::uint32_t left = kFree, right = kFree;
    Merge merge{};
  };

  std::size_t slot_of(std::uint32_t left, std::uint32_t right) const {
    std::uint64_t hash = (std::uint64_t{left} << 32 | right) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].left != kFree && (slots_[at].left != left || slots_[at].right != right)) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }

  std::vector<Slot> slots_;
};

}  // namespace tarsier
