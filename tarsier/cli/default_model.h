#pragma once

#include <filesystem>
#include <string>

namespace tarsier {

inline constexpr char kDefaultModelName[] = "tarsier-nano";

/// The folder of the model that comes with tarsier, whether or not it is there: tarsier-nano among
/// the assets of the sources this program was built from.
std::filesystem::path default_model_directory();

/// What --model means: a directory, or the default model when empty. CheckpointError when it is not
/// there.
std::filesystem::path model_directory(const std::string& model_flag);

}  // namespace tarsier
