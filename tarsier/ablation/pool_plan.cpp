#include "tarsier/ablation/pool_plan.h"

#include "tarsier/rollout/read_settings.h"
#include "tarsier/train/recipe_keys.h"

namespace tarsier {

AnswerPool read_pool(const JsonView& json) {
  expect_keys(json, {"from", "clips", "clip_seed", "omit", "invent", "corrupt", "sample"});
  AnswerPool pool;
  pool.from = json.at("from").as_string();
  pool.clips = int_in(json, "clips", pool.clips, 1, 1'000'000);
  pool.clip_seed = static_cast<std::uint64_t>(int_in(json, "clip_seed", 100, 0, 1'000'000));
  pool.flaws.omit = double_in(json, "omit", pool.flaws.omit, 0, 1);
  pool.flaws.invent = double_in(json, "invent", pool.flaws.invent, 0, 1);
  if (const auto corrupt = json.find("corrupt")) pool.corrupt = read_corruption(*corrupt);
  if (const auto sample = json.find("sample")) pool.sample = read_sample(*sample, pool.sample);
  return pool;
}

PoolPairs read_pool_pairs(const JsonView& json) {
  PoolPairs pairs;
  pairs.pool = json.at("pool").as_string();
  pairs.settings = read_pairs(json.at("choose"), pairs.settings);
  expect_keys(json, {"pool", "choose"});
  return pairs;
}

}  // namespace tarsier
