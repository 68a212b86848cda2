#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/data/formats/format.h"

namespace tarsier {

struct MixJob {
  struct Source {
    std::filesystem::path file;    // JSONL or a JSON list
    std::optional<double> weight;  // none: as many shares as it has rows
  };
  std::vector<Source> sources;
  std::filesystem::path out;  // rows.jsonl, report.json, settings.json
  std::optional<RowFormat> from, to;
  std::uint64_t seed = 1;
  std::int64_t rows = 0;           // to write; 0: as many as the sources have together
  std::int64_t skip = 0;           // positions of the order to leave out first
  std::int64_t batch = 0;          // balance the cost of runs of so many rows; 0: do not
  std::int64_t max_failures = -1;  // rows that may fail before it gives up; below 0: any number
};

struct MixReport {
  bool stopped = false;
  std::int64_t written = 0, failed = 0;
  std::vector<std::string> failures;  // the first 20
  struct Source {
    std::string file;
    std::int64_t rows = 0, drawn = 0;  // epochs: drawn / rows
  };
  std::vector<Source> sources;
};

/// Writes the rows at positions skip ... skip + rows - 1 of MixOrder. Each carries `mix`: its
/// `source`, `epoch`, `position` and `row`. A bad row is counted, named and left out; none stands
/// in its place. Everything appears whole; a killed job begins again, with the same bytes.
/// ConfigError as claim_job_folder and MixOrder; InputError: a file that cannot be read, too many
/// failures.
MixReport run_mix(const MixJob& job, const std::stop_token& stop);

std::string report_json(const MixReport& report);

}  // namespace tarsier
