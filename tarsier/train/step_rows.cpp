#include "tarsier/train/step_rows.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"

namespace tarsier {

StepRows::StepRows(std::filesystem::path file, std::int64_t resumed_step) : file_(std::move(file)) {
  std::ifstream stream(file_);
  if (!stream) return;
  std::string kept;
  for (std::string line; std::getline(stream, line);) {
    const nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    // A torn last line of a killed run is not JSON and goes too.
    if (!row.is_discarded() && row.value("step", std::int64_t{0}) <= resumed_step)
      kept += line + "\n";
  }
  write_file_atomically(file_, kept);
}

void StepRows::add(std::string_view json) {
  std::ofstream stream(file_, std::ios::app);
  stream << json << "\n";
  stream.flush();
  if (!stream)
    throw ResourceError(
        {file_.string(), "cannot be written", "free disk space and run the same command again"});
}

}  // namespace tarsier
