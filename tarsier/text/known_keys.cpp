#include "tarsier/text/known_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace tarsier {

void require_known_keys(const JsonView& json, std::initializer_list<std::string_view> known) {
  for (const std::string& key : json.keys()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      json.at(key).fail("is not a key this program knows", "the file may be of a newer format");
    }
  }
}

void refuse_type(const JsonView& json, std::string_view supported) {
  json.at("type").fail(fmt::format("is '{}'", json.at("type").as_string()),
                       fmt::format("{} supported", supported));
}

}  // namespace tarsier
