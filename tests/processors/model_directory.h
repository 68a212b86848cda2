#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace tarsier {

/// A fresh directory that goes away with the test.
class ModelDirectory {
 public:
  ModelDirectory() {
    std::string name =
        (std::filesystem::temp_directory_path() / "tarsier-processors-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~ModelDirectory() { std::filesystem::remove_all(path_); }
  ModelDirectory(const ModelDirectory&) = delete;
  ModelDirectory& operator=(const ModelDirectory&) = delete;

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tarsier
