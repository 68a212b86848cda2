#include "tarsier/data/pairs/choose_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

namespace tarsier {
namespace {

struct Origins {
  std::vector<std::size_t> intact, corrupted;  // indices into the samples
};

Origins origins_of(const RowCandidates& row) {
  Origins origins;
  for (std::size_t i = 0; i < row.samples.size(); ++i)
    (row.samples[i].corruption ? origins.corrupted : origins.intact).push_back(i);
  return origins;
}

// Every two answers that the source puts together, the chosen one first, in the order of the
// samples.
std::vector<ChosenPair> pairs_of(const RowCandidates& row, const PairSettings& settings) {
  const Origins origins = origins_of(row);
  std::vector<ChosenPair> pairs;
  const auto pair_of = [&](std::size_t chosen, std::size_t rejected) {
    ChosenPair pair{chosen, rejected, differences_of(row.samples[chosen], row.samples[rejected]),
                    std::nullopt};
    pair.gain = gain_of(pair.differences, settings.rule);
    return pair;
  };
  if (settings.source == PairSource::corrupted) {
    for (const std::size_t chosen : origins.intact) {
      for (const std::size_t rejected : origins.corrupted)
        pairs.push_back(pair_of(chosen, rejected));
    }
    return pairs;
  }
  for (std::size_t i = 0; i < origins.intact.size(); ++i) {
    for (std::size_t k = i + 1; k < origins.intact.size(); ++k) {
      ChosenPair pair = pair_of(origins.intact[i], origins.intact[k]);
      if (pair.gain && *pair.gain < Fraction(0))
        pair = pair_of(origins.intact[k], origins.intact[i]);
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

/// Takes pairs one by one, and counts how often each text was taken.
class Taken {
 public:
  explicit Taken(const RowCandidates& row) : row_(row) {}

  std::int64_t uses(const ChosenPair& pair) const {
    return count(pair.chosen) + count(pair.rejected);
  }
  // False for the same two texts again.
  bool take(const ChosenPair& pair) {
    if (!pairs_.emplace(text(pair.chosen), text(pair.rejected)).second) return false;
    ++counts_[text(pair.chosen)];
    ++counts_[text(pair.rejected)];
    return true;
  }

 private:
  std::string_view text(std::size_t sample) const { return bare_words(row_.samples[sample].text); }
  std::int64_t count(std::size_t sample) const {
    const auto found = counts_.find(text(sample));
    return found == counts_.end() ? 0 : found->second;
  }

  const RowCandidates& row_;
  std::unordered_map<std::string_view, std::int64_t> counts_;
  std::set<std::pair<std::string_view, std::string_view>> pairs_;
};

}  // namespace

PairChoice choose_pairs(const RowCandidates& row, const PairSettings& settings) {
  PairChoice choice;
  std::vector<ChosenPair> passed;
  for (ChosenPair& pair : pairs_of(row, settings)) {
    const Candidate &chosen = row.samples[pair.chosen], &rejected = row.samples[pair.rejected];
    auto fault = text_fault(chosen, rejected);
    if (!fault) {
      choice.candidates.push_back(pair.differences);
      fault = score_fault(chosen, rejected, settings);
    }
    if (fault) {
      ++choice.faults[*fault];
    } else {
      passed.push_back(std::move(pair));
    }
  }
  if (!settings.filter && settings.source == PairSource::corrupted) {
    for (ChosenPair& pair : passed) pair.gain.reset();
  } else {
    std::stable_sort(passed.begin(), passed.end(),
                     [](const ChosenPair& a, const ChosenPair& b) { return *a.gain > *b.gain; });
  }
  Taken taken(row);
  while (static_cast<std::int64_t>(choice.pairs.size()) < settings.per_row && !passed.empty()) {
    const auto next = std::min_element(
        passed.begin(), passed.end(),
        [&](const ChosenPair& a, const ChosenPair& b) { return taken.uses(a) < taken.uses(b); });
    if (taken.take(*next)) choice.pairs.push_back(*next);
    passed.erase(next);
  }
  return choice;
}

Dropped why_no_pair(const RowCandidates& row, const PairChoice& choice,
                    const PairSettings& settings) {
  if (choice.faults.empty()) {
    const Origins origins = origins_of(row);
    if (settings.source == PairSource::intact)
      return {"no_samples",
              fmt::format("{} answers from the intact video, at least 2", origins.intact.size())};
    return {"no_samples",
            fmt::format("{} answers from the intact video and {} from corrupted ones, at least one "
                        "of each",
                        origins.intact.size(), origins.corrupted.size())};
  }
  std::string counts;
  for (const auto& [fault, pairs] : choice.faults)
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", name_of(fault), pairs);
  return {name_of(choice.faults.rbegin()->first), "answers two by two: " + counts};
}

}  // namespace tarsier
