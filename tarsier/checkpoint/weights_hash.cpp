#include "tarsier/checkpoint/weights_hash.h"

#include <map>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"

namespace tarsier {

namespace fs = std::filesystem;

std::string weights_sha256(const fs::path& directory) {
  std::map<std::string, std::string> hashes;  // by name, in its order
  std::error_code ignored;                    // of a folder that is not there: it holds no weights
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".safetensors" && !name.starts_with("."))
      hashes[name] = sha256_of_file(entry.path());
  }
  if (hashes.empty())
    throw CheckpointError(
        {directory.string(), "holds no weights in safetensors files", "pass a model directory"});
  std::string all;
  for (const auto& [name, hash] : hashes) all += name + " " + hash + "\n";
  return sha256_hex(std::as_bytes(std::span(all.data(), all.size())));
}

}  // namespace tarsier
