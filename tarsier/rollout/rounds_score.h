#pragma once

#include <cstdint>
#include <filesystem>

namespace tarsier {

/// What a model's greedy answers are worth, over the rows of a file that have scores.
struct RoundScore {
  std::int64_t rows = 0;
  double error = 0;                  // (missed + incorrect + hallucinated) / events, over all
  double recall = 0, precision = 0;  // means over rows; 0 without such scores
};

/// Of the first answer of each row. InputError when no row has errors per event.
RoundScore score_of_rows(const std::filesystem::path& rows);

}  // namespace tarsier
