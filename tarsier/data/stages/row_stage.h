#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/data/rows/row_input.h"

namespace tarsier {

/// One run of a stage from files of rows to a folder of rows.
struct StageJob {
  std::string name;  // "filter"
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path out;      // rows.jsonl, dropped.jsonl, report.json, settings.json
  std::optional<RowFormat> from;  // none: each row's keys say
  std::optional<RowFormat> to;    // none: as the row was
  std::string settings = "{}";    // JSON object: all else that decides what comes out
  int workers = 1;
  std::int64_t max_failures = -1;  // rows that may fail before it gives up; below 0: any number
};

/// Why a row is not in the output though nothing is wrong with it.
struct Dropped {
  std::string reason;  // a counter of the report: "text_short"
  std::string detail;  // "3 characters, at least 10"
};
using Decision = std::variant<std::vector<Record>, Dropped>;

/// What a stage does with a row. Both throw InputError for a row that fails: it is counted, named
/// and put in dropped.jsonl.
struct RowStage {
  /// The costly part: JSON text on what the row is like, for `decide`. A pure function of the row;
  /// any thread. Its results are logged, so a killed run does not repeat them. May be empty.
  std::function<std::string(const Row&)> examine;
  /// In the order of rows, on one thread; may remember earlier rows.
  std::function<Decision(Row&, const std::string& facts)> decide;
  /// The rows of the last decide() stand in the output, which a shape may refuse until then. On the
  /// same thread. May be empty.
  std::function<void()> kept;
  /// What the stage has counted, a JSON object for the report: asked for when all rows are done. A
  /// job that goes on decides all its rows again, so counts of decide() and kept() are whole. May
  /// be empty.
  std::function<std::string()> summary;
};

struct StageReport {
  bool stopped = false;  // a stop was asked for: the same job goes on later
  std::int64_t rows = 0, kept = 0, written = 0, failed = 0;
  std::map<std::string, std::int64_t> dropped;  // rows by reason
  std::vector<std::string> failures;            // the first 20, a line each
  std::string summary;                          // RowStage::summary; empty: none
};

/// Runs a job. Its files appear whole, when all rows are done; until then `out` holds
/// progress.jsonl, by which the same job goes on after a stop or a kill and ends with the same
/// bytes, whatever `workers` is; rows that failed are tried again. A finished job is not run again.
/// ConfigError: `out` holds the output of another job. InputError: an input that cannot be read,
/// too many failures. ResourceError: the disk.
StageReport run_row_stage(const StageJob& job, const RowStage& stage, std::stop_token stop);

/// {"stage", "rows", "kept", "written", "dropped": {reason: rows}, "failed", "failures"}, and
/// "summary" where the stage has one, with its keys in order of the alphabet.
std::string report_json(const std::string& stage, const StageReport& report);

}  // namespace tarsier
