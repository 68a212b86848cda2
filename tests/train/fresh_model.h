#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tarsier/models/registry.h"

namespace tarsier::test {

/// A directory's model with fresh f32 weights that can learn.
inline std::shared_ptr<VideoLanguageModel> fresh_model(const std::filesystem::path& directory,
                                                       std::uint64_t seed = 11) {
  LoadOptions options;
  options.random_weights = seed;
  options.dtype = at::kFloat;
  options.trainable = true;
  return load_model(directory, options);
}

/// The weight at a path, itself; undefined where there is none.
inline Tensor weight_of(VideoLanguageModel& model, const std::string& path) {
  Tensor found;
  const TensorVisitor find = [&](const std::string& each, Tensor& tensor) {
    if (each == path) found = tensor;
  };
  model.visit(Scope(find));
  return found;
}

}  // namespace tarsier::test
