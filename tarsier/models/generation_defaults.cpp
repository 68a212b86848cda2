#include "tarsier/models/generation_defaults.h"

#include "tarsier/base/json.h"

namespace tarsier {
namespace {

void read_end_ids(const JsonView& json, std::vector<std::int64_t>& ids) {
  const std::optional<JsonView> end = json.find("eos_token_id");
  if (!end) return;
  ids = end->is_array() ? end->as_ints() : std::vector<std::int64_t>{end->as_int()};
}

}  // namespace

GenerationDefaults read_generation_defaults(const std::filesystem::path& directory) {
  GenerationDefaults defaults;
  const JsonView config = read_json(directory / "config.json", JsonOwner::checkpoint);
  if (const auto text = config.find("text_config")) read_end_ids(*text, defaults.end_ids);
  read_end_ids(config, defaults.end_ids);
  const std::filesystem::path file = directory / "generation_config.json";
  if (!std::filesystem::exists(file)) return defaults;
  const JsonView generation = read_json(file, JsonOwner::checkpoint);
  read_end_ids(generation, defaults.end_ids);
  defaults.repetition_penalty = generation.double_or("repetition_penalty", 1.0);
  if (defaults.repetition_penalty <= 0)
    generation.at("repetition_penalty").fail("is not above 0", "check generation_config.json");
  return defaults;
}

}  // namespace tarsier
