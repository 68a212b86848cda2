#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/merge_table.h"

namespace tarsier {

/// Ids stay below this: far above every published vocabulary, and small enough to index by.
constexpr std::int64_t kMaxTokenId = (1 << 20) - 1;

/// The "model" of tokenizer.json, for byte-level vocabularies: bytes of a word -> ids, by merging
/// the neighbouring pair of lowest rank, leftmost first, until none is left. Immutable;
/// thread-safe.
class ByteLevelBpe {
 public:
  /// CheckpointError names key and value of anything that is not byte-level BPE.
  static ByteLevelBpe parse(const JsonView& model);

  /// Appends the ids of one word (any bytes), in time n log n.
  void encode(std::string_view word, std::vector<std::int64_t>& ids) const;

  std::optional<std::int64_t> id_of(std::string_view spelling) const;
  /// Vocabulary spelling by id, "" where there is none; [highest id + 1].
  const std::vector<std::string>& spellings() const { return spellings_; }

 private:
  void read_vocabulary(const JsonView& vocab);
  void read_merges(const JsonView& merges);
  void read_bytes(const JsonView& model);
  std::vector<std::uint32_t> symbols_of(std::string_view word) const;
  void merge_by_scan(std::vector<std::uint32_t>& symbols) const;
  void merge_by_heap(std::vector<std::uint32_t>& symbols) const;

  std::vector<std::string> spellings_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  MergeTable merges_;
  std::array<std::uint32_t, 256> byte_ids_{};
  std::optional<std::uint32_t> unknown_;
  std::array<bool, 256> byte_is_unknown_{};
  bool fuse_unknown_ = false;
  bool ignore_merges_ = false;
};

}  // namespace tarsier
