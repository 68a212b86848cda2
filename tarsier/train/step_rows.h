#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace tarsier {

/// A file of JSON rows, one a line, each with the `step` it belongs to. It grows with a run and
/// goes on with it. ResourceError when the disk refuses.
class StepRows {
 public:
  /// Rows of steps after `resumed_step` are dropped from an existing file: they will be done again.
  StepRows(std::filesystem::path file, std::int64_t resumed_step);
  void add(std::string_view json);

 private:
  std::filesystem::path file_;
};

}  // namespace tarsier
