#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "tarsier/nn/mixed_linear.h"
#include "tarsier/tensor/tensor.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// How a run computes: the type of its numbers, and that of its linear layers' products.
struct ComputeChoice {
  at::ScalarType type = at::kFloat;               // or bf16
  std::string reason;                             // for people
  LinearProducts products = LinearProducts::f32;  // of f32 numbers; bf16: the recipe's "mixed"

  std::string name() const;  // "f32", "bf16" or "mixed"
};

/// FLOP/s of a linear layer's products in a type.
using MeasureSpeed = std::function<double(at::ScalarType)>;

/// What the recipe says; for "auto" what the run's checkpoint says (`saved`, "f32" or "bf16"),
/// without one whichever `measure` finds faster, f32 alone where the CPU does not multiply bf16
/// itself. ResourceError when the run began in bf16 by "auto" and this CPU does not.
ComputeChoice choose_compute(const Recipe& recipe, const std::optional<std::string>& saved,
                             bool multiplies_bf16, const MeasureSpeed& measure);

/// The same on this machine's CPU or GPU, by the widest layer of the recipe's model and the run's
/// newest checkpoint (with `resume`); says in the log what "auto" came to. ConfigError for "mixed"
/// on a GPU.
ComputeChoice choose_compute(const Recipe& recipe, const std::filesystem::path& run, bool resume,
                             at::Device device = at::kCPU);

}  // namespace tarsier
