#include "tarsier/data/extra_value.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace tarsier {

std::optional<JsonView> extra_value(const Record& record, const std::string& key) {
  const auto found = record.extra.find(key);
  if (found == record.extra.end()) return std::nullopt;
  return parse_json(fmt::format(R"({{"{}":{}}})", key, found->second), record.where,
                    JsonOwner::input)
      .find(key);
}

void refuse_other_keys(const JsonView& object, std::initializer_list<std::string_view> known) {
  for (const std::string& key : object.keys()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      object.at(key).fail("is an unknown key", fmt::format("use {}", fmt::join(known, ", ")));
  }
}

}  // namespace tarsier
