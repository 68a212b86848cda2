#include "tarsier/cli/default_model.h"

#include "tarsier/base/error.h"

namespace tarsier {

std::filesystem::path default_model_directory() {
  return std::filesystem::path(TARSIER_ASSETS_DIR) / kDefaultModelName;
}

std::filesystem::path default_hearing_model_directory() {
  const std::filesystem::path directory =
      std::filesystem::path(TARSIER_ASSETS_DIR) / kDefaultHearingModelName;
  std::error_code ignored;
  if (!std::filesystem::exists(directory / "model.safetensors", ignored)) return {};
  return directory;
}

std::filesystem::path model_directory(const std::string& model_flag) {
  const std::filesystem::path directory =
      model_flag.empty() ? default_model_directory() : std::filesystem::path(model_flag);
  std::error_code ignored;
  if (std::filesystem::is_directory(directory, ignored)) return directory;
  if (model_flag.empty()) {
    throw CheckpointError(
        {kDefaultModelName, "not among the assets of this build", "pass --model DIR"});
  }
  if (std::filesystem::exists(directory, ignored)) {
    throw CheckpointError(
        {model_flag, "not a directory", "pass the folder that holds config.json"});
  }
  throw CheckpointError(
      {model_flag, "no such directory", "pass the folder that holds config.json"});
}

}  // namespace tarsier
