#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tarsier/checkpoint/pickle.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/strided_tensor.h"

namespace tarsier {

/// The weights of a model in any format that can be converted, memory-mapped. Movable.
///
///   a .bin, .pt or .pth file            the dict of tensors in it
///   checkpoint-N.bin                    laid over all_parameters.bin beside it, when that is there
///   a .safetensors file                 as it is
///   a directory, the first that it has  model.safetensors or its index; pytorch_model.bin or its
///                                       index; all_parameters.bin and over it the checkpoint-N.bin
///                                       of the highest N (video-SALMONN 2's trainer)
///
/// A `module.` before every name of a file (DeepSpeed's and DistributedDataParallel's) is taken
/// away.
class ForeignWeights {
 public:
  /// CheckpointError naming the file: no weights, a damaged file, shards that do not fit their
  /// index.
  static ForeignWeights open(const std::filesystem::path& path);

  struct Tensor {
    StridedTensor view;
    std::string file;  // without its folder
  };
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  const std::vector<std::string>& files() const { return files_; }  // in the order they were read
  /// What stood beside the tensors: "epoch", "optimizer".
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  ForeignWeights() = default;
  void add(const std::filesystem::path& file);
  void add_shards(const std::filesystem::path& directory, const char* index_name,
                  std::string_view extension);
  void add_overlaid(const std::filesystem::path& all, const std::filesystem::path& last);
  void add_directory(const std::filesystem::path& directory);

  bool overlay_ = false;  // a name that is there already is replaced
  std::vector<PickleFile> pickles_;
  std::vector<SafetensorsFile> safetensors_;
  std::map<std::string, Tensor> tensors_;
  std::vector<std::string> files_;
  std::vector<std::string> left_out_;
};

/// Whether a file of that name is one of torch.save, by its ending: .bin, .pt or .pth.
bool is_pickle_name(const std::filesystem::path& path);

}  // namespace tarsier
