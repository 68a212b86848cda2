#include "tarsier/train/recipe_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"

namespace tarsier {

void expect_keys(const JsonView& json, std::initializer_list<std::string_view> known) {
  for (const std::string& key : json.keys()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known)
      names += (names.empty() ? "" : ", ") + std::string(name);
    json.at(key).fail("is not a setting", "known here: " + names);
  }
}

std::int64_t int_in(const JsonView& json, std::string_view key, std::int64_t otherwise,
                    std::int64_t low, std::int64_t high) {
  return json.has(key) ? json.at(key).as_int(low, high) : otherwise;
}

double double_in(const JsonView& json, std::string_view key, double otherwise, double low,
                 double high) {
  if (!json.has(key)) return otherwise;
  const double value = json.at(key).as_double();
  if (!(value >= low && value <= high))
    json.at(key).fail(fmt::format("is {}, expected {} to {}", value, low, high),
                      "give a number in that range");
  return value;
}

std::string one_of(const JsonView& json, std::string_view key, std::string otherwise,
                   std::initializer_list<std::string_view> allowed) {
  const std::string value = json.string_or(key, std::move(otherwise));
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  std::string names;
  for (const std::string_view name : allowed)
    names += (names.empty() ? "" : ", ") + std::string(name);
  json.at(key).fail(fmt::format("is '{}'", value), "use one of: " + names);
}

}  // namespace tarsier
