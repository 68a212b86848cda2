#include "tarsier/data/pairs/pairs.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/data/pairs/pair_histograms.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

Json answer_json(const Candidate& candidate, const RowCandidates& row) {
  Json json{{"seed", candidate.seed}, {"finish", name_of(candidate.finish)}};
  if (candidate.corruption) {
    const CorruptedFrames& corruption = row.corruptions[*candidate.corruption];
    json["corruption"] = {{"kind", name_of(corruption.kind)}, {"frames", corruption.frames}};
  }
  if (candidate.score) json["score"] = score_json(*candidate.score);
  return json;
}

Json pair_json(const RowCandidates& row, const ChosenPair& pair, const PairSettings& settings) {
  Json json{{"chosen", answer_json(row.samples[pair.chosen], row)},
            {"rejected", answer_json(row.samples[pair.rejected], row)},
            {"sampling", sampling_json(*row.sampling)},
            {"source", name_of(settings.source)},
            {"filter", settings.filter},
            {"rule", pair.gain ? name_of(settings.rule) : "none"}};
  if (pair.gain) json["gain"] = Json::array({pair.gain->numerator(), pair.gain->denominator()});
  return json;
}

/// What the stage counts. A pair counts as kept when its row is written: a shape may refuse it.
class Pairs {
 public:
  explicit Pairs(const PairSettings& settings) : settings_(settings) {}

  Decision decide(const Record& record) {
    waiting_.clear();
    if (record.preference || record.extra.contains("pair"))
      throw InputError({record.where, "is a preference already",
                        "take the rows that the answers were sampled for"});
    const RowCandidates row = parse_candidates(record);
    PairChoice choice = choose_pairs(row, settings_);
    histograms_.add_candidates(choice.candidates, choice.faults);
    if (choice.pairs.empty()) return why_no_pair(row, choice, settings_);
    std::vector<Record> records;
    for (const ChosenPair& pair : choice.pairs)
      records.push_back(pair_row(record, row, pair, settings_));
    waiting_ = std::move(choice.pairs);
    return records;
  }

  void keep() {
    for (const ChosenPair& pair : waiting_) histograms_.add_kept(pair.differences);
  }

  std::string summary() const { return histograms_.json(); }

 private:
  PairSettings settings_;
  PairHistograms histograms_;
  std::vector<ChosenPair> waiting_;  // of the row in hand
};

}  // namespace

Record pair_row(const Record& record, const RowCandidates& candidates, const ChosenPair& pair,
                const PairSettings& settings) {
  Record row = record;
  if (row.turns.empty() || row.turns.back().role != Role::assistant) {
    row.turns.push_back({});
    row.turns.back().role = Role::assistant;
  }
  row.preference = Preference{.chosen = candidates.samples[pair.chosen].text,
                              .rejected = candidates.samples[pair.rejected].text};
  for (const char* key : {"samples", "corruptions", "sampling"}) row.extra.erase(key);
  row.extra["pair"] = pair_json(candidates, pair, settings).dump();
  return row;
}

RowStage make_pair_stage(const PairSettings& settings) {
  auto pairs = std::make_shared<Pairs>(settings);
  RowStage stage;
  stage.decide = [pairs](Row& row, const std::string&) { return pairs->decide(row.record); };
  stage.kept = [pairs] { pairs->keep(); };
  stage.summary = [pairs] { return pairs->summary(); };
  return stage;
}

}  // namespace tarsier
