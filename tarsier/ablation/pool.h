#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "tarsier/ablation/pool_plan.h"

namespace tarsier {

struct PoolOptions {
  std::string level = "base";
  std::uint64_t seed = 1;  // of the ablation
  int workers = 1;
  std::stop_token stop = {};
};

/// Writes a pool's clips with their flawed and true descriptions, clips/*.mp4 and clips/rows.jsonl
/// under `folder`; what is there already stays. The rows' file, or nothing when stopped.
std::optional<std::filesystem::path> write_pool_rows(const AnswerPool& pool,
                                                     const std::filesystem::path& folder,
                                                     const PoolOptions& options);

/// The pool's answers, scored: jobs under `folder` that go on where they were. The rows' file, or
/// nothing when stopped.
std::optional<std::filesystem::path> answer_pool(const AnswerPool& pool,
                                                 const std::filesystem::path& model,
                                                 const std::filesystem::path& folder,
                                                 const PoolOptions& options);

/// Pairs of a pool's scored rows: a job in `out`. The same.
std::optional<std::filesystem::path> choose_pool_pairs(const PoolPairs& pairs,
                                                       const std::filesystem::path& scored,
                                                       const std::filesystem::path& out,
                                                       const PoolOptions& options);

}  // namespace tarsier
