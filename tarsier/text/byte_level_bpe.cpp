#include "tarsier/text/byte_level_bpe.h"

#include <algorithm>
#include <cstddef>
#include <queue>
#include <tuple>

#include "tarsier/text/byte_level.h"

namespace tarsier {
namespace {

constexpr std::size_t kScanUpTo = 48;  // symbols; a scan beats a heap on words, not on long runs
constexpr std::int64_t kNone = -1;

}  // namespace

void ByteLevelBpe::encode(std::string_view word, std::vector<std::int64_t>& ids) const {
  if (ignore_merges_) {
    if (const auto whole = id_of(spell_bytes(word))) {
      ids.push_back(*whole);
      return;
    }
  }
  std::vector<std::uint32_t> symbols = symbols_of(word);
  if (symbols.size() <= kScanUpTo) {
    merge_by_scan(symbols);
  } else {
    merge_by_heap(symbols);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

std::optional<std::int64_t> ByteLevelBpe::id_of(std::string_view spelling) const {
  const auto found = ids_.find(std::string(spelling));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::uint32_t> ByteLevelBpe::symbols_of(std::string_view word) const {
  std::vector<std::uint32_t> symbols;
  symbols.reserve(word.size());
  bool after_unknown = false;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unknown = byte_is_unknown_[byte];
    if (!(unknown && after_unknown && fuse_unknown_)) symbols.push_back(byte_ids_[byte]);
    after_unknown = unknown;
  }
  return symbols;
}

void ByteLevelBpe::merge_by_scan(std::vector<std::uint32_t>& symbols) const {
  while (symbols.size() > 1) {
    const Merge* best = nullptr;
    std::size_t best_at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Merge* merge = merges_.find(symbols[i], symbols[i + 1]);
      if (merge && (!best || merge->rank < best->rank)) {
        best = merge;
        best_at = i;
      }
    }
    if (!best) return;
    symbols[best_at] = best->result;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

// Candidates wait in a heap; symbols form a linked list, so a merge costs no move. A candidate
// whose neighbours have changed since is recognised when it comes up, because its pair then merges
// into something else.
void ByteLevelBpe::merge_by_heap(std::vector<std::uint32_t>& symbols) const {
  struct Candidate {
    std::uint32_t rank;
    std::int64_t at;
    std::uint32_t result;
    bool operator>(const Candidate& other) const {
      return std::tie(rank, at) > std::tie(other.rank, other.at);
    }
  };
  struct Link {
    std::int64_t before, after;
    bool gone = false;
  };
  const auto count = static_cast<std::int64_t>(symbols.size());
  std::vector<Link> links(symbols.size());
  const auto link = [&](std::int64_t i) -> Link& { return links[static_cast<std::size_t>(i)]; };
  const auto symbol = [&](std::int64_t i) -> std::uint32_t& {
    return symbols[static_cast<std::size_t>(i)];
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](std::int64_t i) {
    if (i == kNone || link(i).after == kNone) return;
    if (const Merge* merge = merges_.find(symbol(i), symbol(link(i).after)))
      queue.push({merge->rank, i, merge->result});
  };
  for (std::int64_t i = 0; i < count; ++i) link(i) = {i - 1, i + 1 < count ? i + 1 : kNone};
  for (std::int64_t i = 0; i < count; ++i) consider(i);

  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    if (link(top.at).gone || link(top.at).after == kNone) continue;
    const std::int64_t right = link(top.at).after;
    const Merge* merge = merges_.find(symbol(top.at), symbol(right));
    if (!merge || merge->result != top.result) continue;
    symbol(top.at) = top.result;
    link(right).gone = true;
    link(top.at).after = link(right).after;
    if (link(right).after != kNone) link(link(right).after).before = top.at;
    consider(link(top.at).before);
    consider(top.at);
  }
  std::size_t kept = 0;
  for (std::int64_t i = 0; i != kNone; i = link(i).after) symbols[kept++] = symbol(i);
  symbols.resize(kept);
}

}  // namespace tarsier
