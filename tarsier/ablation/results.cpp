#include "tarsier/ablation/results.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kShownScores[] = {
    "event_f1", "event_precision", "event_recall", "order",         "scene_f1",
    "qa",       "probes",          "miss",         "hallucination", "total"};

bool lower_is_better(const std::string& score) {
  return score == "miss" || score == "hallucination" || score == "total" || score == "unparsed";
}

AblationScores read_scores(const JsonView& json) {
  AblationScores scores;
  for (const std::string& key : json.keys()) {
    if (key == "seed") {
      scores.seed = static_cast<std::uint64_t>(json.at(key).as_int(0, INT64_MAX));
    } else if (key == "train_seconds") {
      scores.train_seconds = json.at(key).as_double();
    } else {
      scores.scores[key] = json.at(key).as_double();
    }
  }
  return scores;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// Processes that write files of one folder take turns.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& file) {
    const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
    folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_ < 0 || ::flock(folder_, LOCK_EX) != 0) {
      if (folder_ >= 0) ::close(folder_);
      throw ResourceError({folder.string(), "cannot be locked", "give a folder that can be read"});
    }
  }
  ~FolderLock() { ::close(folder_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int folder_ = -1;
};

}  // namespace

AblationResults::AblationResults(std::filesystem::path file, const AblationPlan& plan)
    : file_(std::move(file)), plan_(plan) {
  read();
}

void AblationResults::read() {
  runs_.clear();
  if (!std::filesystem::exists(file_)) return;
  const JsonView json = read_json(file_, JsonOwner::config);
  if (json.at("plan").as_string() != plan_.hash)
    throw ConfigError({file_.string(), "holds the results of another plan or other recipes",
                       "write to another file, or remove this one"});
  origin_ = {json.at("command").as_string(), json.at("commit").as_string(),
             json.at("machine").as_string(), json.string_or("start", "")};
  const JsonView rows = json.at("rows");
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const JsonView seeds = rows.at(i).at("seeds");
    for (std::int64_t k = 0; k < seeds.size(); ++k)
      runs_[rows.at(i).at("name").as_string()].push_back(read_scores(seeds.at(k)));
  }
}

bool AblationResults::has(const std::string& row, std::uint64_t seed) const {
  const auto runs = runs_.find(row);
  return runs != runs_.end() &&
         std::any_of(runs->second.begin(), runs->second.end(),
                     [&](const AblationScores& scores) { return scores.seed == seed; });
}

void AblationResults::check_start(const std::string& start) const {
  if (runs_.empty() || origin_.start.empty() || origin_.start == start) return;
  throw ConfigError({file_.string(),
                     fmt::format("holds the results of models that began with the weights {:.12}, "
                                 "these are {:.12}",
                                 origin_.start, start),
                     "write to another file, or put those weights in their place"});
}

void AblationResults::add(const std::string& row, AblationScores scores,
                          const AblationOrigin& origin) {
  const FolderLock lock(file_);
  read();
  if (has(row, scores.seed)) return;
  std::vector<AblationScores>& runs = runs_[row];
  runs.push_back(std::move(scores));
  std::sort(runs.begin(), runs.end(),
            [](const AblationScores& a, const AblationScores& b) { return a.seed < b.seed; });
  origin_ = origin;
  write_file_atomically(file_, json());
}

std::vector<double> AblationResults::values(const std::string& row,
                                            const std::string& score) const {
  std::vector<double> values;
  const auto runs = runs_.find(row);
  if (runs == runs_.end()) return values;
  for (const AblationScores& run : runs->second) {
    if (const auto found = run.scores.find(score); found != run.scores.end())
      values.push_back(found->second);
  }
  return values;
}

// Seed by seed, above 0 where the claim is right.
std::vector<double> AblationResults::differences(const AblationClaim& claim) const {
  std::vector<double> differences;
  const auto better = runs_.find(claim.better), worse = runs_.find(claim.worse);
  if (better == runs_.end() || worse == runs_.end()) return differences;
  const double sign = lower_is_better(claim.score) ? -1 : 1;
  for (const AblationScores& a : better->second) {
    for (const AblationScores& b : worse->second) {
      const auto x = a.scores.find(claim.score), y = b.scores.find(claim.score);
      if (a.seed == b.seed && x != a.scores.end() && y != b.scores.end())
        differences.push_back(sign * (x->second - y->second));
    }
  }
  return differences;
}

double AblationResults::mean(const std::string& row, const std::string& score) const {
  return mean_of(values(row, score));
}

double AblationResults::spread(const std::string& row, const std::string& score) const {
  return deviation_of(values(row, score));
}

std::size_t AblationResults::seeds(const std::string& row) const {
  const auto runs = runs_.find(row);
  return runs == runs_.end() ? 0 : runs->second.size();
}

std::vector<ClaimResult> AblationResults::claims() const {
  std::vector<ClaimResult> results;
  for (const AblationClaim& claim : plan_.claims) {
    ClaimResult result{.claim = claim};
    result.seeds =
        std::min(values(claim.better, claim.score).size(), values(claim.worse, claim.score).size());
    if (result.seeds == 0) continue;
    result.better = mean(claim.better, claim.score);
    result.worse = mean(claim.worse, claim.score);
    result.difference =
        lower_is_better(claim.score) ? result.worse - result.better : result.better - result.worse;
    result.spread = std::max(spread(claim.better, claim.score), spread(claim.worse, claim.score));
    result.holds =
        claim.at_least ? result.difference >= *claim.at_least : result.difference > result.spread;
    result.by_seed = differences(claim);
    result.by_seed_spread = deviation_of(result.by_seed);
    results.push_back(result);
  }
  return results;
}

// Those that any run has.
std::vector<std::string> AblationResults::shown_scores() const {
  std::vector<std::string> shown;
  for (const char* score : kShownScores) {
    const bool is_there = std::any_of(plan_.rows.begin(), plan_.rows.end(), [&](const auto& row) {
      return !values(row.name, score).empty();
    });
    if (is_there) shown.emplace_back(score);
  }
  return shown;
}

std::string AblationResults::text() const {
  std::size_t width = 4;
  for (const AblationRow& row : plan_.rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("{:<{}}  seeds", "row", width);
  const std::vector<std::string> shown = shown_scores();
  for (const std::string& score : shown) text += fmt::format("  {:>15}", score);
  text += "\n";
  for (const AblationRow& row : plan_.rows) {
    if (seeds(row.name) == 0) continue;
    text += fmt::format("{:<{}}  {:>5}", row.name, width, seeds(row.name));
    for (const std::string& score : shown)
      text += fmt::format("  {:>7.3f} ± {:.3f}", mean(row.name, score), spread(row.name, score));
    text += "\n";
  }
  for (const ClaimResult& result : claims()) {
    text += fmt::format(
        "{}: {} {:.3f}, {} {:.3f} in {}: difference {:.3f}, spread {:.3f}{}: {}{}\n",
        result.claim.says.empty() ? "claim" : result.claim.says, result.claim.better, result.better,
        result.claim.worse, result.worse, result.claim.score, result.difference, result.spread,
        result.claim.at_least ? fmt::format(", asked {:+.3f}", *result.claim.at_least) : "",
        result.holds ? "holds" : "does not hold", result.seeds < 2 ? " (one seed, no spread)" : "");
    if (result.by_seed.size() < 2) continue;
    text += fmt::format("  seed by seed {:+.3f}, spread {:.3f}\n", fmt::join(result.by_seed, ", "),
                        result.by_seed_spread);
  }
  return text;
}

std::string AblationResults::json() const {
  Json rows = Json::array();
  for (const AblationRow& row : plan_.rows) {
    const auto runs = runs_.find(row.name);
    if (runs == runs_.end()) continue;
    Json means = Json::object(), spreads = Json::object(), seeds = Json::array();
    std::set<std::string> names;
    for (const AblationScores& run : runs->second) {
      Json entry{{"seed", run.seed}, {"train_seconds", run.train_seconds}};
      for (const auto& [score, value] : run.scores) {
        entry[score] = value;
        names.insert(score);
      }
      seeds.push_back(std::move(entry));
    }
    for (const std::string& score : names) {
      means[score] = mean(row.name, score);
      spreads[score] = spread(row.name, score);
    }
    rows.push_back({{"name", row.name},
                    {"mean", std::move(means)},
                    {"spread", std::move(spreads)},
                    {"seeds", std::move(seeds)}});
  }
  Json claims = Json::array();
  for (const ClaimResult& result : this->claims()) {
    claims.push_back({{"says", result.claim.says},
                      {"better", result.claim.better},
                      {"worse", result.claim.worse},
                      {"score", result.claim.score},
                      {"difference", result.difference},
                      {"spread", result.spread},
                      {"seeds", result.seeds},
                      {"holds", result.holds},
                      {"by_seed", result.by_seed},
                      {"by_seed_spread", result.by_seed_spread}});
  }
  Json json{
      {"command", origin_.command}, {"commit", origin_.commit}, {"machine", origin_.machine},
      {"plan", plan_.hash},         {"start", origin_.start},   {"level", plan_.level},
      {"clips", plan_.clips},       {"rows", std::move(rows)},  {"claims", std::move(claims)}};
  if (origin_.start.empty()) json.erase("start");
  return json.dump(1) + "\n";
}

}  // namespace tarsier
