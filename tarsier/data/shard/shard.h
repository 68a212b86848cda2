#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/data/formats/format.h"

namespace tarsier {

struct ShardJob {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path out;  // NAME-000000.tar ..., index.json, settings.json
  std::string name = "shard";
  std::int64_t shard_bytes = std::int64_t{1} << 30;  // a shard ends before the row that exceeds it
  std::optional<RowFormat> from, to;
  int workers = 1;
  std::int64_t max_failures = -1;  // rows that may fail before it gives up; below 0: any number
};

struct ShardReport {
  bool stopped = false;
  std::int64_t rows = 0, written = 0, failed = 0, shards = 0;
  std::vector<std::string> failures;  // the first 20
};

/// Packs rows with their media into webdataset tars: members `00000017.json`, `00000017.mp4`, and
/// `00000017.1.mp4` where a row has two of a kind; the row names its members. A row whose media
/// cannot be read is counted and named, and no member of it is written. Each shard appears whole;
/// after a stop or a kill the same job goes on behind the last whole one and ends with the same
/// bytes, whatever `workers` is. Errors as run_row_stage.
ShardReport run_shard(const ShardJob& job, const std::stop_token& stop);

std::string report_json(const ShardReport& report);

}  // namespace tarsier
