#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tarsier/checkpoint/shards.h"
#include "tests/checkpoint/archives.h"

namespace tarsier::testing {

namespace fs = std::filesystem;

inline fs::path fixture_model(const std::string& name) {
  return fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / name;
}

/// An empty folder of its own for a test.
inline fs::path empty_folder(const std::string& name) {
  const fs::path folder =
      fs::path(::testing::TempDir()) / ("tarsier_" + std::to_string(::getpid()) + "_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

inline void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Tensors to pickle, each in a storage of its own; f32 unless another storage type is named.
class Pickled {
 public:
  void add(const std::string& name, const std::vector<std::int64_t>& shape,
           const std::string& bytes, const char* type = "FloatStorage") {
    std::int64_t elements = 1;
    for (const std::int64_t size : shape) elements *= size;
    const std::string key = std::to_string(storages_.size());
    tensors_[name] = {shape, pickled_storage(type, key, elements)};
    storages_.emplace_back("archive/data/" + key, bytes);
  }
  void add(const std::string& name, const Tensor& tensor) {
    const Tensor kept = tensor.to(at::kFloat).contiguous();
    add(name, kept.sizes().vec(),
        {static_cast<const char*>(kept.const_data_ptr()), static_cast<std::size_t>(kept.nbytes())});
  }
  /// Another name for a tensor that is there.
  void alias(const std::string& name, const std::string& of) { tensors_[name] = tensors_.at(of); }

  void write(const fs::path& path) const {
    std::vector<std::pair<std::string, std::string>> items;
    for (const auto& [name, tensor] : tensors_) {
      std::vector<std::int64_t> strides(tensor.first.size(), 1);
      for (std::size_t i = strides.size(); i > 1; --i)
        strides[i - 2] = strides[i - 1] * tensor.first[i - 1];
      items.emplace_back(name, pickled_tensor(tensor.second, 0, tensor.first, strides));
    }
    auto members = storages_;
    members.emplace_back("archive/data.pkl", pickle_of(pickled_dict(items)));
    write_file(path, zip_bytes(members));
  }

 private:
  std::map<std::string, std::pair<std::vector<std::int64_t>, std::string>> tensors_;
  std::vector<std::pair<std::string, std::string>> storages_;
};

/// A fixture's model with its weights pickled, every name behind `prefix`.
inline Pickled pickled_fixture(const std::string& name, const std::string& prefix = "") {
  const Checkpoint checkpoint = Checkpoint::open(fixture_model(name));
  Pickled pickled;
  for (const auto& [tensor, view] : checkpoint.tensors()) {
    pickled.add(prefix + tensor, view.shape,
                {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()},
                view.dtype == DType::bf16 ? "BFloat16Storage" : "FloatStorage");
  }
  return pickled;
}

/// A fixture's settings and tokenizer, without weights.
inline fs::path without_weights(const std::string& fixture, const std::string& folder_name) {
  const fs::path folder = empty_folder(folder_name);
  for (const auto& entry : fs::directory_iterator(fixture_model(fixture))) {
    if (entry.path().extension() != ".safetensors")
      fs::copy_file(entry.path(), folder / entry.path().filename());
  }
  return folder;
}

inline Tensor tensor_of(const Checkpoint& checkpoint, const std::string& name,
                        at::ScalarType type) {
  const TensorView& view = *checkpoint.find(name);
  return at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape,
                       at::TensorOptions().dtype(type))
      .clone();
}

/// The message of what `act` throws, whatever it is.
template <class Act>
std::string thrown_by(Act&& act) {
  try {
    act();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace tarsier::testing
