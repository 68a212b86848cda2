#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tarsier {

/// One source of a mix: how many rows it has, and its share (any positive number; shares are
/// compared with each other).
struct MixSource {
  std::int64_t rows = 0;
  double weight = 1;
};

/// What stands at one position of a mix.
struct MixPick {
  std::size_t source = 0;
  std::int64_t epoch = 0, row = 0;  // of that source
  bool operator==(const MixPick&) const = default;
};

/// The endless order of a mix: a pure function of sources, seed and position. Every block of 256
/// positions holds each source by its share, to within one row, in a drawn order; a block is
/// shorter where it would cross a multiple of the number of all rows, so that shares by rows give
/// each row once. A source goes through all its rows, in an order drawn for each epoch, before any
/// comes again. One thread.
class MixOrder {
 public:
  static constexpr std::int64_t kBlock = 256;

  /// ConfigError unless there is a source and each has rows and a positive, finite weight.
  MixOrder(std::vector<MixSource> sources, std::uint64_t seed);

  MixPick next();
  /// As if next() had been called `count` times.
  void skip(std::int64_t count);
  std::int64_t position() const { return position_; }

 private:
  void begin_block();
  std::size_t draw_source();

  std::vector<MixSource> sources_;
  std::uint64_t seed_;
  double total_weight_ = 0;
  std::int64_t total_rows_ = 0;
  std::int64_t position_ = 0, block_begin_ = 0;
  std::vector<std::uint32_t> block_;   // the source at each position of the current block
  std::vector<std::int64_t> planned_;  // rows of each source up to the end of the block
  std::vector<std::int64_t> drawn_;    // rows of each source so far
  struct Permutation {
    std::int64_t epoch = -1;
    std::vector<std::uint32_t> order;
  };
  std::vector<Permutation> permutations_;
};

/// Reorders a window of rows so that each run of `batch` costs about the same: the dearest first,
/// each to the cheapest batch that has room (longest processing time first). Returns places in
/// `costs`; a last batch that is not full stays last. Ties go by place.
std::vector<std::size_t> balance_batches(std::span<const double> costs, std::size_t batch);

}  // namespace tarsier
