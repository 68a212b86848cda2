#include "tarsier/rollout/rounds_recipe.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/rollout/read_settings.h"
#include "tarsier/train/recipe_keys.h"
#include "tarsier/train/recipe_overrides.h"

namespace tarsier {
namespace {

constexpr char kPairsFile[] = "pairs";

void for_each_jsonl(nlohmann::json& data, const std::function<void(nlohmann::json&)>& work) {
  if (data.contains("mix")) {
    for (nlohmann::json& source : data["mix"]) for_each_jsonl(source, work);
  }
  if (data.contains("jsonl")) work(data["jsonl"]);
}

// Files beside the round's own are named from the recipe's folder, not the round's.
void place_files(nlohmann::json& data, const std::filesystem::path& folder) {
  for_each_jsonl(data, [&](nlohmann::json& jsonl) {
    const auto file = jsonl.find("file");
    if (file == jsonl.end() || !file->is_string() || *file == kPairsFile) return;
    *file =
        std::filesystem::absolute(folder / file->get<std::string>()).lexically_normal().string();
  });
}

// The round's training, as far as it can be known before there are pairs.
std::string read_train(const JsonView& json, const std::filesystem::path& folder) {
  if (json.has("model"))
    json.at("model").fail("is given", "leave it out: each round begins with its policy");
  if (json.has("random_weights"))
    json.at("random_weights").fail("is given", "leave it out: each round begins with its policy");
  const JsonView stages = json.at("stages");
  if (!stages.is_array() || stages.size() != 1)
    stages.fail("is not one stage", "give one, with \"preference\"");
  if (!stages.at(std::int64_t{0}).has("preference"))
    stages.fail("has no \"preference\"", "rounds are preference training");
  nlohmann::json train = json.raw();
  if (train["stages"][0].contains("data")) place_files(train["stages"][0]["data"], folder);
  return train.dump();
}

// Puts the round's file where a source names it.
void place_pairs(nlohmann::json& data, const std::string& file) {
  for_each_jsonl(data, [&](nlohmann::json& jsonl) {
    if (jsonl.value("file", kPairsFile) == kPairsFile) jsonl["file"] = file;
  });
}

}  // namespace

SampleSettings RoundsRecipe::default_sampling() {
  SampleSettings settings;
  settings.intact = 2;
  settings.corrupted = 0;
  settings.temperature = 1;
  settings.top_p = 0.9;
  return settings;
}

PairSettings RoundsRecipe::default_pairs() {
  PairSettings settings;
  settings.rule = PairRule::error;
  settings.source = PairSource::intact;
  return settings;
}

RoundsRecipe read_rounds_recipe(const std::filesystem::path& file,
                                const std::vector<std::string>& overrides) {
  const JsonView json = read_with_overrides(file, overrides);
  expect_keys(json, {"model", "rows", "rounds", "rows_per_round", "validation", "min_gain",
                     "corrupt", "sample", "pairs", "train"});
  RoundsRecipe recipe;
  recipe.model = file.parent_path() / json.at("model").as_string();
  recipe.rows = file.parent_path() / json.at("rows").as_string();
  recipe.rounds = int_in(json, "rounds", recipe.rounds, 1, 1000);
  recipe.rows_per_round = int_in(json, "rows_per_round", 0, 0, INT64_MAX);
  if (const auto rows = json.find("validation"))
    recipe.validation = file.parent_path() / rows->as_string();
  recipe.min_gain = double_in(json, "min_gain", 0, -100, 100);
  if (json.has("min_gain") && !recipe.validation)
    json.at("min_gain").fail("stands without validation", "give both or neither");
  if (const auto corrupt = json.find("corrupt")) recipe.corrupt = read_corruption(*corrupt);
  if (recipe.corrupt) recipe.sample.corrupted = recipe.sample.intact = 1;
  if (const auto sample = json.find("sample")) recipe.sample = read_sample(*sample, recipe.sample);
  if (const auto pairs = json.find("pairs")) recipe.pairs = read_pairs(*pairs, recipe.pairs);
  if (recipe.pairs.source == PairSource::corrupted && !recipe.corrupt)
    json.fail("takes rejected answers from corrupted videos and corrupts none",
              R"(give "corrupt", or pairs.source "intact")");
  recipe.train = read_train(json.at("train"), file.parent_path());
  nlohmann::json lasting = json.raw();  // more rounds may be asked of a run that is there
  lasting.erase("rounds");
  const std::string canonical = lasting.dump();
  recipe.hash = sha256_hex(std::as_bytes(std::span(canonical.data(), canonical.size())));
  return recipe;
}

std::string round_training(const RoundsRecipe& recipe, std::int64_t round,
                           const std::string& policy, const std::string& pairs) {
  nlohmann::json json = nlohmann::json::parse(recipe.train);
  json["model"] = policy;
  json["seed"] = json.value("seed", std::int64_t{1}) + round - 1;
  nlohmann::json& stage = json["stages"][0];
  if (!stage.contains("data")) stage["data"] = {{"jsonl", nlohmann::json::object()}};
  place_pairs(stage["data"], pairs);
  return json.dump(1);
}

}  // namespace tarsier
