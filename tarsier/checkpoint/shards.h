#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/checkpoint/safetensors.h"

namespace tarsier {

/// The weights of a model directory as one name -> tensor view, whether one file or many.
/// Memory-mapped, so opening costs no reading. Movable. Safe to read from any thread.
class Checkpoint {
 public:
  /// Reads model.safetensors, or else model.safetensors.index.json and the shards it names.
  /// CheckpointError naming the file: no weights, pickled weights only, a shard missing, a tensor
  /// missing from its shard, in two shards or in none of the index, a shard name that leaves the
  /// directory.
  static Checkpoint open(const std::filesystem::path& directory);

  const TensorView* find(std::string_view name) const;  // nullptr when absent
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  const std::vector<std::string>& files() const {
    return files_;
  }  // file names of the weights, sorted
  const std::string& file_of(
      std::string_view name) const;  // the file that holds a tensor, for messages
  std::int64_t total_bytes() const { return total_bytes_; }  // of all tensors

  /// Harmless oddities, already logged: the index's metadata.total_size differs from the tensors'
  /// bytes.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  Checkpoint() = default;
  void add_file(const std::filesystem::path& path);

  std::vector<SafetensorsFile> mapped_;
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, std::size_t, std::less<>> file_index_;
  std::vector<std::string> files_;
  std::vector<std::string> warnings_;
  std::int64_t total_bytes_ = 0;
};

}  // namespace tarsier
