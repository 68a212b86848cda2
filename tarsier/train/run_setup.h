#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>

#include "tarsier/models/video_language_model.h"
#include "tarsier/tensor/workers.h"
#include "tarsier/train/compute_choice.h"
#include "tarsier/train/recipe.h"
#include "tarsier/train/run_facts.h"

namespace tarsier {

/// The recipe's model, with weights that can learn, in this type of numbers. With an adapter on an
/// 8-bit base, the decoder's dense layers that no stage trains are i8 (nn/int8_weight.h).
std::shared_ptr<VideoLanguageModel> load_trainable(const Recipe& recipe,
                                                   const ComputeChoice& compute,
                                                   at::Device device = at::kCPU);

/// Micro-batches side by side: the recipe's workers, at most one an intra-op thread; one on a GPU.
std::int64_t worker_count(const Recipe& recipe, at::Device device);

/// peak_speed, and a line in the log that says so.
double measured_peak(const ComputeChoice& compute, Workers& workers, at::Device device);

/// How this process computes, for machine.json.
Facts compute_facts(const ComputeChoice& compute, const Workers& workers, double peak,
                    at::Device device);

/// Activations come and go at the same sizes every step: giving their pages back to the system and
/// faulting them in again would cost small models a tenth of it.
void keep_freed_memory();

}  // namespace tarsier
