#include "tarsier/train/recipe_overrides.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// "stages.0.steps=10": dotted path, then JSON or, where that does not parse, a plain string.
void apply_override(nlohmann::json& json, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ConfigError({"--set", fmt::format("'{}' is not key=value", text),
                       "for example --set stages.0.steps=10"});
  nlohmann::json* at = &json;
  std::stringstream path(text.substr(0, equals));
  for (std::string part; std::getline(path, part, '.');) {
    if (at->is_array()) {
      const bool number = !part.empty() && part.size() < 6 &&
                          part.find_first_not_of("0123456789") == std::string::npos;
      if (!number || std::stoul(part) >= at->size())
        throw ConfigError(
            {"--set " + text, fmt::format("there is no entry {}", part), "entries count from 0"});
      at = &(*at)[std::stoul(part)];
    } else if (at->is_object() || at->is_null()) {
      at = &(*at)[part];
    } else {
      throw ConfigError(
          {"--set " + text, fmt::format("'{}' lies inside a plain value", part), "check the path"});
    }
  }
  const std::string value = text.substr(equals + 1);
  nlohmann::json parsed = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
  *at = parsed.is_discarded() ? nlohmann::json(value) : parsed;
}

}  // namespace

JsonView read_with_overrides(const std::filesystem::path& file,
                             const std::vector<std::string>& overrides) {
  nlohmann::json edited = read_json(file, JsonOwner::config, /*comments=*/true).raw();
  for (const std::string& text : overrides) apply_override(edited, text);
  return parse_json(edited.dump(), file.filename().string(), JsonOwner::config);
}

}  // namespace tarsier
