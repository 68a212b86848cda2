#pragma once

#include <filesystem>
#include <string>

namespace tarsier {

inline constexpr char kDefaultModelName[] = "tarsier-nano";
inline constexpr char kDefaultHearingModelName[] = "tarsier-nano-av";

/// The folder of the model that comes with tarsier, whether or not it is there: tarsier-nano among
/// the assets of the sources this program was built from.
std::filesystem::path default_model_directory();

/// The same of the model for files with sound; empty where its weights are not there.
std::filesystem::path default_hearing_model_directory();

/// What --model means: a directory, or the default model when empty. CheckpointError when it is not
/// there.
std::filesystem::path model_directory(const std::string& model_flag);

}  // namespace tarsier
