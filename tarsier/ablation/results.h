#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tarsier/ablation/plan.h"

namespace tarsier {

/// The scores of one training run; `seed` and `train_seconds` stand among them in the file.
struct AblationScores {
  std::uint64_t seed = 0;
  double train_seconds = 0;
  std::map<std::string, double> scores = {};
};

/// Where the figures come from.
struct AblationOrigin {
  std::string command, commit, machine;
  std::string start = {};  // first_weights() of the plan
};

/// Whether one of a plan's claims holds: the difference of the means, and the larger of the two
/// rows' standard deviations over seeds, which the difference must exceed where the claim does not
/// say how large it must be.
struct ClaimResult {
  AblationClaim claim;
  double better = 0, worse = 0, difference = 0, spread = 0;
  std::size_t seeds = 0;  // of the row that has fewer
  bool holds = false;
  // Of each seed that both rows have: rows of one seed share pre-training and clips, so what these
  // move alike is gone from it. With the standard deviation of these.
  std::vector<double> by_seed = {};
  double by_seed_spread = 0;
};

/// A table of runs, as it grows: docs/results/NAME.json (world.md 3).
class AblationResults {
 public:
  /// Reads `file` where it exists. ConfigError when it holds results of another plan.
  AblationResults(std::filesystem::path file, const AblationPlan& plan);

  bool has(const std::string& row, std::uint64_t seed) const;
  /// ConfigError when the file's runs began with other weights than these: those of the two do not
  /// make one table. To be asked before a run is trained for it.
  void check_start(const std::string& start) const;
  /// Adds a run to those that the file holds by now, and writes it, whole or not at all: several
  /// processes may add to one file. Of a run that is there already the first stays. ResourceError
  /// when the disk refuses.
  void add(const std::string& row, AblationScores scores, const AblationOrigin& origin);

  /// Over the row's seeds so far; 0 without any.
  double mean(const std::string& row, const std::string& score) const;
  /// The sample standard deviation; 0 with fewer than two seeds.
  double spread(const std::string& row, const std::string& score) const;
  std::size_t seeds(const std::string& row) const;
  /// Of the claims whose rows both have a seed.
  std::vector<ClaimResult> claims() const;

  std::string text() const;  // a table for people
  std::string json() const;  // as the file holds it

 private:
  void read();
  std::vector<std::string> shown_scores() const;
  std::vector<double> values(const std::string& row, const std::string& score) const;
  std::vector<double> differences(const AblationClaim& claim) const;

  std::filesystem::path file_;
  const AblationPlan& plan_;
  AblationOrigin origin_;
  std::map<std::string, std::vector<AblationScores>> runs_;
};

}  // namespace tarsier
