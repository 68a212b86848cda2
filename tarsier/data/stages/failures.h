#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {

/// The rows of a job that failed: counted, the first 20 named. One thread.
class Failures {
 public:
  static constexpr std::size_t kNamed = 20;

  /// `most`: how many may fail before the job gives up; below 0: any number.
  explicit Failures(std::int64_t most = -1) : most_(most) {}

  /// Warns of one more. InputError when it is one too many.
  void add(const ErrorNote& note);
  /// Those of an earlier run.
  void restore(std::int64_t count, std::vector<std::string> first);

  std::int64_t count() const { return count_; }
  const std::vector<std::string>& first() const { return first_; }

 private:
  std::int64_t most_, count_ = 0;
  std::vector<std::string> first_;
};

}  // namespace tarsier
