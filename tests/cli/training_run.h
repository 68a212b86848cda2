#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/run_tarsier.h"
#include "tests/train/tiny_model.h"

namespace tarsier::test {

/// A tiny training in a folder of its own, run by the built program.
class TrainingRun {
 public:
  /// `edit` changes write_recipe's recipe.
  template <class Edit>
  explicit TrainingRun(const Edit& edit) {
    write_recipe(scratch_.path(), make_tiny_model(scratch_.path()), edit);
  }

  fs::path folder() const { return scratch_.path(); }
  /// The words that start or go on with the run `name`.
  std::vector<std::string> command(const std::string& name,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"train",     "sft",
                                      "--threads", "1",
                                      "--recipe",  (folder() / "recipe.jsonc").string(),
                                      "--out",     (folder() / name).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  ScratchFolder scratch_;
};

inline std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Whole rows of metrics.jsonl; a torn last one is left out.
inline std::vector<nlohmann::json> whole_metrics_of(const fs::path& run) {
  std::vector<nlohmann::json> rows;
  std::ifstream stream(run / "metrics.jsonl");
  for (std::string line; std::getline(stream, line);) {
    nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_discarded()) rows.push_back(std::move(row));
  }
  return rows;
}

/// Weights, optimizer state, place in the data and logged losses of two finished runs, bit for bit.
inline void expect_equal_runs(const fs::path& one, const fs::path& two, const std::string& step) {
  EXPECT_TRUE(bytes_of(one / "model" / "model.safetensors") ==
              bytes_of(two / "model" / "model.safetensors"));
  const fs::path last = fs::path("checkpoints") / step;
  EXPECT_GT(fs::file_size(one / last / "state.safetensors"), 0u);
  EXPECT_TRUE(bytes_of(one / last / "state.safetensors") ==
              bytes_of(two / last / "state.safetensors"));
  nlohmann::json state_one = read(one / last / "state.json"),
                 state_two = read(two / last / "state.json");
  state_one.erase("seconds");
  state_two.erase("seconds");
  EXPECT_EQ(state_one, state_two);
  const auto rows_one = whole_metrics_of(one), rows_two = whole_metrics_of(two);
  ASSERT_EQ(rows_one.size(), rows_two.size());
  for (std::size_t i = 0; i < rows_one.size(); ++i) {
    for (const char* key : {"step", "stage", "loss", "next_token", "token_accuracy", "visual_words",
                            "event_probe", "rate", "gradient_norm", "skipped"})
      EXPECT_EQ(rows_one[i].at(key), rows_two[i].at(key)) << "row " << i << " " << key;
  }
}

}  // namespace tarsier::test
