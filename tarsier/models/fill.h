#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tarsier/checkpoint/rename.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/nn/parameters.h"

namespace tarsier {

/// Walks a model's weights: calls the visitor once for each.
using VisitWeights = std::function<void(const TensorVisitor&)>;

struct FillOptions {
  at::Device device = at::Device(at::kCPU);
  at::ScalarType dtype = at::kFloat;
  bool own_memory = false;  // copy even where the mapped bytes would do
  std::function<bool(const std::string& path)> in_int8;  // matrices to keep so; unset: none
};

/// Fills a model built on the meta device. `renames` map the file's names to our paths. Weights
/// whose type in the file is already the wanted one stay in the mapped file, which the tensors keep
/// alive: no copy is made. CheckpointError naming every missing and every spare tensor, or the one
/// of wrong shape with the likely cause.
/// Tensors of the file whose path begins with one of `unused` are passed over.
void fill_from_checkpoint(const VisitWeights& visit, std::shared_ptr<const Checkpoint> checkpoint,
                          std::span<const Rename> renames, const FillOptions& options,
                          std::span<const std::string> unused = {});

/// Fresh weights: norms 1, biases 0, matrices normal with deviation 0.02, those that write into the
/// residual stream divided by sqrt(2 * layers of that kind). A pure function of (path, shape,
/// seed).
void fill_randomly(const VisitWeights& visit, std::uint64_t seed, const FillOptions& options);

}  // namespace tarsier
