#include "tarsier/text/pair_merges.h"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <queue>
#include <string>
#include <tuple>
#include <utility>

namespace tarsier {
namespace {

constexpr std::size_t kScanUpTo = 48;  // symbols; a scan beats a heap on words, not on long runs
constexpr std::int64_t kNone = -1;

// One entry of "merges": "left right" in old files, ["left", "right"] in new ones.
std::pair<std::string, std::string> halves(const JsonView& merges, std::int64_t index) {
  const nlohmann::json& entry = merges.raw()[static_cast<std::size_t>(index)];
  if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
    return {entry[0].get<std::string>(), entry[1].get<std::string>()};
  }
  if (entry.is_string()) {
    const auto& text = entry.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  merges.at(index).fail(R"(is neither "left right" nor ["left", "right"])",
                        "the file may be cut or of another kind");
}

}  // namespace

PairMerges PairMerges::parse(const JsonView& merges, const Vocabulary& vocabulary) {
  if (!merges.is_array()) merges.fail("is not an array", "expected a list of pairs");
  const std::int64_t count = merges.size();
  PairMerges pairs;
  pairs.table_ = MergeTable(static_cast<std::size_t>(count));
  for (std::int64_t rank = 0; rank < count; ++rank) {
    const auto [left, right] = halves(merges, rank);
    const auto known = [&](const std::string& token) {
      const auto found = vocabulary.id_of(token);
      if (!found) {
        merges.at(rank).fail(
            fmt::format("needs the token '{}', which is not in the vocabulary", token),
            "vocabulary and merges belong to different files");
      }
      return static_cast<std::uint32_t>(*found);
    };
    const std::uint32_t left_id = known(left), right_id = known(right);
    pairs.table_.set(left_id, right_id, {static_cast<std::uint32_t>(rank), known(left + right)});
  }
  return pairs;
}

void PairMerges::apply(std::vector<std::uint32_t>& symbols) const {
  if (symbols.size() <= kScanUpTo) {
    by_scan(symbols);
  } else {
    by_heap(symbols);
  }
}

void PairMerges::by_scan(std::vector<std::uint32_t>& symbols) const {
  while (symbols.size() > 1) {
    const Merge* best = nullptr;
    std::size_t best_at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Merge* merge = table_.find(symbols[i], symbols[i + 1]);
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
void PairMerges::by_heap(std::vector<std::uint32_t>& symbols) const {
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
    if (const Merge* merge = table_.find(symbol(i), symbol(link(i).after)))
      queue.push({merge->rank, i, merge->result});
  };
  for (std::int64_t i = 0; i < count; ++i) link(i) = {i - 1, i + 1 < count ? i + 1 : kNone};
  for (std::int64_t i = 0; i < count; ++i) consider(i);

  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    if (link(top.at).gone || link(top.at).after == kNone) continue;
    const std::int64_t right = link(top.at).after;
    const Merge* merge = table_.find(symbol(top.at), symbol(right));
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
