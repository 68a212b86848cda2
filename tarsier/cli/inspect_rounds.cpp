#include "tarsier/cli/inspect_rounds.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/rollout/rounds.h"

namespace tarsier {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool holds_rounds(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "rounds.json", ignored);
}

Json examine_rounds(const fs::path& folder) {
  Json json{{"rounds", Json::array()}};
  for (std::int64_t round = 0;; ++round) {
    const auto lineage = read_lineage(round_folder(folder, round));
    if (!lineage) return json;
    json["rounds"].push_back(lineage_json(*lineage));
  }
}

std::string rounds_text(const Json& rounds) {
  std::string text =
      "round  policy        pairs                   model         errors per event  recall  "
      "precision\n";
  for (const Json& each : rounds.at("rounds")) {
    const auto hash = [&](const char* key) {
      return each.at(key).get<std::string>().substr(0, 12);
    };
    const auto count = each.at("pair_count").get<std::int64_t>();
    text += fmt::format("{:>5}  {:<12}  {:<12} {:>9}  {:<12}", each.at("round").get<int>(),
                        hash("policy"), hash("pairs"), count == 0 ? "" : std::to_string(count),
                        hash("model"));
    if (each.contains("validation")) {
      const Json& found = each.at("validation");
      text += fmt::format("  {:>16.4f}  {:>6.4f}  {:>9.4f}", found.at("error").get<double>(),
                          found.at("recall").get<double>(), found.at("precision").get<double>());
    }
    text += "\n";
  }
  return text;
}

}  // namespace tarsier
