#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/data/rows/row_input.h"

namespace tarsier {

struct CheckSettings {
  std::int64_t frames = 16;    // that event markers count
  bool look_for_media = true;  // whether its files are there
  bool open_media = true;      // and compare times with it
  bool decode = false;         // the first and last frame a row means
  double max_tokens = 16384;   // of a row, by row_cost(); Tarsier2's longest sequence
  std::size_t named = 5;       // rows of each kind that the report names
};

/// One thing wrong with a row.
struct Problem {
  std::string kind;  // "row", "roles", "answer", "media_shown", "media_mark", "media", "times",
                     // "markers", "length", "preference"; "marker_gap" is a warning and makes no
                     // row bad
  ErrorNote note;
};

/// Everything wrong with a row. Any thread.
std::vector<Problem> problems_of(const Row& row, const CheckSettings& settings);

struct CheckReport {
  bool stopped = false;
  std::int64_t rows = 0, bad_rows = 0;
  struct Count {
    std::int64_t rows = 0;
    std::vector<std::string> first;  // a line each
  };
  std::map<std::string, Count> problems;  // by kind
};

/// Checks the rows of files on `workers` threads; the report does not depend on how many. Media of
/// tars is unpacked to `scratch`, which the caller removes. InputError: a file that cannot be read.
CheckReport check_rows(const std::vector<std::filesystem::path>& inputs,
                       std::optional<RowFormat> from, const CheckSettings& settings, int workers,
                       const std::filesystem::path& scratch, const std::stop_token& stop);

std::string report_json(const CheckReport& report);

}  // namespace tarsier
