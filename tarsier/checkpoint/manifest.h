#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {

inline constexpr char kManifestName[] = "manifest.json";

/// What a folder must hold, byte for byte: {"files": {NAME: {"bytes": N, "sha256": HEX}}}.
struct Manifest {
  struct File {
    std::int64_t bytes = 0;
    std::string sha256;  // 64 lower-case digits
  };
  std::map<std::string, File> files;  // names without folders
};

/// Hashes every file of `directory` (hidden files and the manifest itself excepted). Folders inside
/// it are a ConfigError: a manifest that covers a part would promise too much.
Manifest make_manifest(const std::filesystem::path& directory);

/// make_manifest, written atomically as manifest.json.
void write_manifest(const std::filesystem::path& directory);

/// CheckpointError when manifest.json is absent, malformed, or names a file outside the folder.
Manifest read_manifest(const std::filesystem::path& directory);

/// Every difference between a folder and its manifest, each naming its file; empty when whole. A
/// missing or malformed manifest is a problem too, not an exception.
std::vector<ErrorNote> verify_directory(const std::filesystem::path& directory);

}  // namespace tarsier
