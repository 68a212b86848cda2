#include "tarsier/rollout/read_settings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/train/recipe_keys.h"

namespace tarsier {
namespace {

Fraction decimal_in(const JsonView& json, const char* key, const Fraction& otherwise) {
  if (!json.has(key)) return otherwise;
  const JsonView value = json.at(key);
  // As it is written: 0.3 is 3/10.
  const std::string text = value.is_string() ? value.as_string() : value.raw().dump();
  return parse_decimal(text, fmt::format("{}: {}", value.file(), value.path()));
}

}  // namespace

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

}  // namespace tarsier
