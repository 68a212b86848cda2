#include "tarsier/checkpoint/manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/sha256.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr char kRestore[] = "restore the file from its source";

bool is_covered(const std::string& name) { return name != kManifestName && !name.starts_with('.'); }

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The problem of one listed file, if it has one.
void verify_file(const fs::path& path, const Manifest::File& expected,
                 std::vector<ErrorNote>& problems) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    problems.push_back({path.string(), "is missing", kRestore});
    return;
  }
  const auto bytes = static_cast<std::int64_t>(fs::file_size(path, error));
  if (error || bytes != expected.bytes) {
    problems.push_back(
        {path.string(),
         fmt::format("has {} bytes, {} says {}", error ? 0 : bytes, kManifestName, expected.bytes),
         kRestore});
    return;
  }
  try {
    if (sha256_of_file(path) != expected.sha256) {
      problems.push_back({path.string(),
                          fmt::format("has another SHA-256 than {} says", kManifestName),
                          kRestore});
    }
  } catch (const ResourceError& unreadable) {
    problems.push_back(unreadable.note);
  }
}

}  // namespace

Manifest make_manifest(const fs::path& directory) {
  Manifest manifest;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!is_covered(name)) continue;
    if (!entry.is_regular_file()) {
      throw ConfigError(
          {entry.path().string(),
           fmt::format("is not a plain file, and {} covers plain files only", kManifestName),
           "move it elsewhere"});
    }
    manifest.files[name] = {static_cast<std::int64_t>(entry.file_size()),
                            sha256_of_file(entry.path())};
  }
  return manifest;
}

void write_manifest(const fs::path& directory) {
  nlohmann::json files = nlohmann::json::object();
  for (const auto& [name, file] : make_manifest(directory).files)
    files[name] = {{"bytes", file.bytes}, {"sha256", file.sha256}};
  const nlohmann::json document = {{"files", std::move(files)}};
  write_file_atomically(
      directory / kManifestName,
      document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Manifest read_manifest(const fs::path& directory) {
  const fs::path path = directory / kManifestName;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    throw CheckpointError({path.string(), "is missing",
                           "the folder was never finished, or is not one that Tarsier wrote"});
  }
  const JsonView files = read_json(path, JsonOwner::checkpoint).at("files");
  Manifest manifest;
  for (const std::string& name : files.keys()) {
    const JsonView entry = files.at(name);
    if (name.empty() || !is_covered(name) ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      entry.fail("is not the name of a file in the folder",
                 "get the folder from a source you trust");
    }
    Manifest::File file{entry.at("bytes").as_int(0, INT64_MAX), entry.at("sha256").as_string()};
    if (!is_hex_digest(file.sha256))
      entry.at("sha256").fail("is not 64 lower-case hexadecimal digits", kRestore);
    manifest.files.emplace(name, std::move(file));
  }
  return manifest;
}

std::vector<ErrorNote> verify_directory(const fs::path& directory) {
  Manifest manifest;
  try {
    manifest = read_manifest(directory);
  } catch (const CheckpointError& problem) {
    ErrorNote note = problem.note;
    // Of several folders that are looked at, the reader of JSON does not know which.
    if (note.where.starts_with(kManifestName)) note.where = (directory / note.where).string();
    return {note};
  }
  std::vector<ErrorNote> problems;
  for (const auto& [name, file] : manifest.files) verify_file(directory / name, file, problems);
  std::error_code unreadable;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, unreadable)) {
    const std::string name = entry.path().filename().string();
    if (is_covered(name) && !manifest.files.contains(name)) {
      problems.push_back({entry.path().string(), fmt::format("is not in {}", kManifestName),
                          "remove it, or write the manifest again"});
    }
  }
  if (unreadable)
    problems.push_back(
        {directory.string(), "cannot be read: " + unreadable.message(), "check its permissions"});
  return problems;
}

}  // namespace tarsier
