#include "tarsier/ablation/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/rollout/rounds_recipe.h"
#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

bool has_row(const std::vector<AblationRow>& rows, const std::string& name) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const AblationRow& row) { return row.name == name; });
}

// It is a folder's name too.
void check_name(const JsonView& json) {
  const std::string& name = json.as_string();
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!plain) json.fail(fmt::format("is '{}'", name), "use small letters, digits and _");
}

AblationRow read_row(const JsonView& json, const std::filesystem::path& folder,
                     const std::vector<AblationRow>& earlier) {
  check_name(json.at("name"));
  AblationRow row{.name = json.at("name").as_string(),
                  .recipe = folder / json.at("recipe").as_string(),
                  .overrides = {},
                  .from = {},
                  .fresh = true,
                  .pairs = {},
                  .round = {},
                  .pool = {}};
  if (has_row(earlier, row.name)) json.at("name").fail("is there twice", "give rows other names");
  if (const auto overrides = json.find("set")) {
    for (std::int64_t i = 0; i < overrides->size(); ++i)
      row.overrides.push_back(overrides->at(i).as_string());
  }
  if (const auto from = json.find("from")) {
    if (!has_row(earlier, from->as_string()))
      from->fail(fmt::format("'{}' is no earlier row", from->as_string()),
                 "name a row that stands above this one");
    row.from = from->as_string();
  }
  row.fresh = json.bool_or("fresh", true);
  if (row.from && json.has("fresh"))
    json.at("fresh").fail("stands beside \"from\"", "give one of the two");
  return row;
}

const AnswerPool& pool_of(const JsonView& json, const AblationPlan& plan) {
  const auto found = plan.pools.find(json.as_string());
  if (found == plan.pools.end())
    json.fail(fmt::format("'{}' is no pool", json.as_string()), "name one of \"pools\"");
  return found->second;
}

// What a row learns from beside its recipe.
void read_answers(const JsonView& json, const AblationPlan& plan, AblationRow& row) {
  const auto check_policy = [&](const JsonView& pool) {
    if (!row.from || pool_of(pool, plan).from != *row.from)
      pool.fail("answers of another model than the row starts from", "give both the same \"from\"");
  };
  if (const auto pairs = json.find("pairs")) {
    row.pairs = read_pool_pairs(*pairs);
    check_policy(pairs->at("pool"));
  }
  if (const auto round = json.find("round")) {
    row.round = round->as_int(1, 1000);
    row.pool = json.at("pool").as_string();
    check_policy(json.at("pool"));
  }
}

// By name; whose model answers must be a row.
void read_pools(const JsonView& json, AblationPlan& plan) {
  for (const std::string& name : json.keys()) {
    AnswerPool pool = read_pool(json.at(name));
    pool.sample.frames = pool.sample.frames.value_or(level_named(plan.level).frames);
    plan.pools.emplace(name, std::move(pool));
  }
}

AblationClaim read_claim(const JsonView& json, const std::vector<AblationRow>& rows) {
  AblationClaim claim{json.at("better").as_string(), json.at("worse").as_string(),
                      json.string_or("score", "event_f1"), json.string_or("says", "")};
  if (json.has("at_least")) claim.at_least = json.at("at_least").as_double();
  for (const char* key : {"better", "worse"}) {
    if (!has_row(rows, json.at(key).as_string()))
      json.at(key).fail(fmt::format("'{}' is no row", json.at(key).as_string()), "name a row");
  }
  return claim;
}

}  // namespace

AblationPlan read_ablation_plan(const std::filesystem::path& file) {
  const JsonView json = read_json(file, JsonOwner::config, /*comments=*/true);
  AblationPlan plan;
  plan.level = json.string_or("level", plan.level);
  level_named(plan.level);  // a wrong name is told before any work
  if (json.has("clips")) plan.clips = json.at("clips").as_int(1, 1'000'000);
  if (json.has("clip_seed"))
    plan.clip_seed = static_cast<std::uint64_t>(json.at("clip_seed").as_int(0, INT64_MAX));
  if (json.has("questions")) plan.questions = json.at("questions").as_int(0, 100);
  const JsonView rows = json.at("rows");
  if (!rows.is_array() || rows.size() == 0) rows.fail("names no row", "give at least one");
  std::string all = json.raw().dump();
  if (const auto pools = json.find("pools")) read_pools(*pools, plan);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    plan.rows.push_back(read_row(rows.at(i), file.parent_path(), plan.rows));
    AblationRow& row = plan.rows.back();
    read_answers(rows.at(i), plan, row);
    all += row.round ? read_rounds_recipe(row.recipe, row.overrides).hash
                     : read_recipe(row.recipe, row.overrides).hash;
  }
  if (const auto claims = json.find("claims")) {
    for (std::int64_t i = 0; i < claims->size(); ++i)
      plan.claims.push_back(read_claim(claims->at(i), plan.rows));
  }
  plan.hash = sha256_hex(std::as_bytes(std::span(all.data(), all.size())));
  return plan;
}

std::string first_weights(const AblationPlan& plan) {
  std::vector<std::string> hashes;
  for (const AblationRow& row : plan.rows) {
    if (row.fresh || row.from) continue;
    const std::string hash = weights_sha256(read_recipe(row.recipe, row.overrides).model);
    if (std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) hashes.push_back(hash);
  }
  return fmt::format("{}", fmt::join(hashes, ","));
}

Recipe ablation_recipe(const AblationRow& row, std::uint64_t seed,
                       const std::filesystem::path& parent, const std::filesystem::path& pairs) {
  std::vector<std::string> overrides = row.overrides;
  overrides.push_back(fmt::format("seed={}", seed));
  if (row.pairs && !pairs.empty()) {
    overrides.push_back("stages.0.data.jsonl.file=" +
                        nlohmann::json(std::filesystem::absolute(pairs).string()).dump());
  }
  if (!parent.empty()) {
    overrides.push_back("model=" +
                        nlohmann::json(std::filesystem::absolute(parent).string()).dump());
    overrides.push_back("random_weights=null");
  } else if (row.fresh) {
    overrides.push_back(fmt::format("random_weights={}", seed));
  }
  Recipe recipe = read_recipe(row.recipe, overrides);
  for (Stage& stage : recipe.stages) {
    for (DataSource& source : stage.sources) {
      if (source.synth) source.synth->seed += kSeedStride * seed;
    }
  }
  return recipe;
}

}  // namespace tarsier
