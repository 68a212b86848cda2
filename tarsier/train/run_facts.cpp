#include "tarsier/train/run_facts.h"

#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"

namespace tarsier {

void write_run_facts(const std::filesystem::path& run, const Recipe& recipe, const Facts& machine) {
  write_file_atomically(run / "recipe.json", recipe.text + "\n");
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : machine) json[name] = value;
  write_file_atomically(
      run / "machine.json",
      json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace tarsier
