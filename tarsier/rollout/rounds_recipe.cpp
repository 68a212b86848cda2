#include "tarsier/rollout/rounds_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/train/recipe_keys.h"
#include "tarsier/train/recipe_overrides.h"

namespace tarsier {
namespace {

constexpr char kPairsFile[] = "pairs";

Fraction decimal_in(const JsonView& json, const char* key, const Fraction& otherwise) {
  if (!json.has(key)) return otherwise;
  const JsonView value = json.at(key);
  // As it is written: 0.3 is 3/10.
  const std::string text = value.is_string() ? value.as_string() : value.raw().dump();
  return parse_decimal(text, fmt::format("{}: {}", value.file(), value.path()));
}

CorruptionSettings read_corruption(const JsonView& json) {
  expect_keys(json, {"kinds", "per_row", "frames", "crop_keep", "seed"});
  CorruptionSettings settings;
  if (const auto kinds = json.find("kinds")) {
    settings.kinds.clear();
    for (std::int64_t i = 0; i < kinds->size(); ++i) {
      const auto kind = corruption_named(kinds->at(i).as_string());
      if (!kind) kinds->at(i).fail("is no corruption", "use exchange, reverse, crop or discard");
      settings.kinds.push_back(*kind);
    }
    if (settings.kinds.empty()) kinds->fail("names no corruption", "leave it out for all four");
  }
  settings.per_row = int_in(json, "per_row", settings.per_row, 1, 100);
  settings.frames = int_in(json, "frames", settings.frames, kFewestIntactFrames, 1000);
  settings.crop_keep = decimal_in(json, "crop_keep", settings.crop_keep);
  settings.seed = static_cast<std::uint64_t>(int_in(json, "seed", 1, 0, INT64_MAX));
  return settings;
}

SampleSettings read_sample(const JsonView& json, SampleSettings settings) {
  expect_keys(json,
              {"intact", "corrupted", "temperature", "top_p", "max_new_tokens", "frames", "seed"});
  settings.intact = int_in(json, "intact", settings.intact, 0, 100);
  settings.corrupted = int_in(json, "corrupted", settings.corrupted, 0, 100);
  settings.temperature = double_in(json, "temperature", settings.temperature, 0, 10);
  settings.top_p = double_in(json, "top_p", settings.top_p, 1e-6, 1);
  settings.max_new_tokens = int_in(json, "max_new_tokens", settings.max_new_tokens, 1, 1 << 20);
  if (json.has("frames")) settings.frames = json.at("frames").as_int(1, 1000);
  settings.seed = static_cast<std::uint64_t>(int_in(json, "seed", 1, 0, INT64_MAX));
  return settings;
}

PairSettings read_pairs(const JsonView& json, PairSettings settings) {
  expect_keys(json, {"rule", "source", "filter", "delta", "min_gap", "per_row"});
  settings.rule = one_of(json, "rule", name_of(settings.rule), {"autodq", "error"}) == "autodq"
                      ? PairRule::autodq
                      : PairRule::error;
  settings.source =
      one_of(json, "source", name_of(settings.source), {"corrupted", "intact"}) == "corrupted"
          ? PairSource::corrupted
          : PairSource::intact;
  settings.filter = json.bool_or("filter", settings.filter);
  settings.delta = decimal_in(json, "delta", settings.delta);
  settings.min_gap = decimal_in(json, "min_gap", settings.min_gap);
  settings.per_row = int_in(json, "per_row", settings.per_row, 1, 1000);
  return settings;
}

// The round's training, as far as it can be known before there are pairs.
std::string read_train(const JsonView& json) {
  if (json.has("model"))
    json.at("model").fail("is given", "leave it out: each round begins with its policy");
  if (json.has("random_weights"))
    json.at("random_weights").fail("is given", "leave it out: each round begins with its policy");
  const JsonView stages = json.at("stages");
  if (!stages.is_array() || stages.size() != 1)
    stages.fail("is not one stage", "give one, with \"preference\"");
  if (!stages.at(std::int64_t{0}).has("preference"))
    stages.fail("has no \"preference\"", "rounds are preference training");
  return json.raw().dump();
}

// Puts the round's file where a source names it.
void place_pairs(nlohmann::json& data, const std::string& file) {
  if (data.contains("mix")) {
    for (nlohmann::json& source : data["mix"]) place_pairs(source, file);
  }
  if (data.contains("jsonl") && data["jsonl"].value("file", kPairsFile) == kPairsFile)
    data["jsonl"]["file"] = file;
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
              "give \"corrupt\", or pairs.source \"intact\"");
  recipe.train = read_train(json.at("train"));
  const std::string canonical = json.raw().dump();
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
