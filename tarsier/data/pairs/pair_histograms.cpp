#include "tarsier/data/pairs/pair_histograms.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kSteps = 10;  // on either side of 0: of ten words, or of a tenth
constexpr std::string_view kWords = "words", kRecall = "recall", kPrecision = "precision",
                           kErrors = "errors";
constexpr std::array kNames = {kWords, kRecall, kPrecision, kErrors};

std::string_view title_of(std::string_view measure) {
  if (measure == kWords) return "words, chosen minus rejected";
  if (measure == kRecall) return "recall, chosen minus rejected";
  if (measure == kPrecision) return "precision, chosen minus rejected";
  return "errors per event, rejected minus chosen";
}

}  // namespace

PairHistograms::PairHistograms() {
  static_assert(kNames.size() == kMeasures);
  for (std::size_t i = 0; i < kMeasures; ++i) {
    Measure& measure = measures_[i];
    measure.name = kNames[i];
    for (std::int64_t step = -kSteps; step <= kSteps; ++step) {
      const auto edge = static_cast<double>(step);
      measure.edges.push_back(measure.name == kWords ? edge * 10 : edge / 10);
    }
    measure.candidates.counts.resize(measure.edges.size() + 1);
    measure.kept.counts.resize(measure.edges.size() + 1);
  }
}

void PairHistograms::add(const PairDifferences& pair, Counts Measure::*to) {
  const std::array<std::optional<Fraction>, kMeasures> values = {Fraction(pair.words), pair.recall,
                                                                 pair.precision, pair.errors};
  for (std::size_t i = 0; i < kMeasures; ++i) {
    if (!values[i]) continue;
    // Exactly: a tenth as a double may fall to either side of its edge.
    const std::int64_t step = measures_[i].name == kWords ? floor_times(pair.words, Fraction(1, 10))
                                                          : floor_times(10, *values[i]);
    Counts& counts = measures_[i].*to;
    ++counts.pairs;
    counts.sum += values[i]->value();
    ++counts.counts[static_cast<std::size_t>(
        std::clamp<std::int64_t>(step + kSteps + 1, 0, 2 * kSteps + 1))];
  }
}

void PairHistograms::add_candidates(std::span<const PairDifferences> candidates,
                                    const std::map<PairFault, std::int64_t>& faults) {
  for (const PairDifferences& pair : candidates) add(pair, &Measure::candidates);
  for (const auto& [fault, pairs] : faults) faults_[fault] += pairs;
  candidates_ += static_cast<std::int64_t>(candidates.size());
}

void PairHistograms::add_kept(const PairDifferences& pair) {
  add(pair, &Measure::kept);
  ++kept_;
}

std::string PairHistograms::json() const {
  Json faults = Json::object(), differences = Json::object();
  for (const auto& [fault, pairs] : faults_) faults[name_of(fault)] = pairs;
  const auto counts_json = [](const Counts& counts) {
    Json json{{"pairs", counts.pairs}, {"mean", nullptr}, {"counts", counts.counts}};
    if (counts.pairs > 0) json["mean"] = counts.sum / static_cast<double>(counts.pairs);
    return json;
  };
  for (const Measure& measure : measures_) {
    if (measure.candidates.pairs == 0) continue;
    differences[std::string(measure.name)] = {{"edges", measure.edges},
                                              {"candidates", counts_json(measure.candidates)},
                                              {"kept", counts_json(measure.kept)}};
  }
  return Json{{"candidates", candidates_},
              {"kept", kept_},
              {"faults", std::move(faults)},
              {"differences", std::move(differences)}}
      .dump();
}

std::vector<std::string> histogram_lines(const std::string& text) {
  const Json json = Json::parse(text);
  std::vector<std::string> lines;
  for (const std::string_view measure : kNames) {  // the report sorts its keys
    const auto found = json.at("differences").find(std::string(measure));
    if (found == json.at("differences").end()) continue;
    const Json& value = *found;
    const Json &kept = value.at("kept"), &edges = value.at("edges");
    if (kept.at("pairs") == 0) continue;
    std::string line =
        fmt::format("{}: mean {:.3g} in {} pairs, {:.3g} in {} candidates", title_of(measure),
                    kept.at("mean").get<double>(), kept.at("pairs").get<std::int64_t>(),
                    value.at("candidates").at("mean").get<double>(),
                    value.at("candidates").at("pairs").get<std::int64_t>());
    const char* separator = "; ";
    for (std::size_t i = 0; i < kept.at("counts").size(); ++i) {
      const auto count = kept.at("counts")[i].get<std::int64_t>();
      if (count == 0) continue;
      line += fmt::format("{}{} {} {:g}", separator, count, i == 0 ? "below" : "from",
                          edges[i == 0 ? 0 : i - 1].get<double>());
      separator = ", ";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace tarsier
