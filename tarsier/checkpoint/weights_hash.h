#pragma once

#include <filesystem>
#include <string>

namespace tarsier {

/// Names the weights of a model directory: SHA-256 over the names and hashes of its safetensors
/// files, in the order of their names. The same wherever the folder lies and whatever else is in
/// it. CheckpointError when it holds none, ResourceError when one cannot be read. Reads every byte.
std::string weights_sha256(const std::filesystem::path& directory);

}  // namespace tarsier
