#include "tarsier/train/run_setup.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <climits>

#include "tarsier/base/log.h"
#include "tarsier/models/registry.h"
#include "tarsier/nn/mixed_linear.h"
#include "tarsier/tensor/device.h"
#include "tarsier/train/optimizer/groups.h"
#include "tarsier/train/product_speed.h"
#include "tarsier/train/taken_weights.h"

namespace tarsier {
namespace {

// What linear layers multiply.
at::ScalarType product_type(const ComputeChoice& compute) {
  return compute.products == LinearProducts::bf16 ? at::kBFloat16 : compute.type;
}

std::string peak_text(at::ScalarType compute, const Workers& workers, double peak,
                      at::Device device) {
  if (!device.is_cpu())
    return fmt::format("{:.1f} TFLOP/s, measured in {} matrix products on {}", peak / 1e12,
                       name_of(compute), device.str());
  const std::int64_t threads = workers.count() > 1 ? workers.count() : at::get_num_threads();
  return fmt::format("{:.1f} GFLOP/s, measured in {} matrix products on {} thread{}", peak / 1e9,
                     name_of(compute), threads, threads == 1 ? "" : "s");
}

// Beside an adapter, in some stage.
bool learns_itself(const Recipe& recipe, const std::string& path) {
  const auto trains = [&](const Stage& stage) {
    return std::any_of(stage.train.begin(), stage.train.end(),
                       [&](const std::string& pattern) { return begins_with(path, pattern); });
  };
  return std::any_of(recipe.stages.begin(), recipe.stages.end(), trains);
}

}  // namespace

std::shared_ptr<VideoLanguageModel> load_trainable(const Recipe& recipe,
                                                   const ComputeChoice& compute,
                                                   at::Device device) {
  set_training_products(compute.products);
  LoadOptions load;
  load.device = device;
  load.dtype = compute.type;
  load.random_weights = recipe.random_weights;
  load.trainable = true;
  load.recompute = recipe.recompute;
  if (recipe.adapter && recipe.adapter->int8_base) {
    load.in_int8 = [&recipe](const std::string& path) {
      return path.starts_with("model.layers.") && !learns_itself(recipe, path);
    };
  }
  auto model = load_model(recipe.model, load);
  take_weights(*model, recipe.weights_from);
  return model;
}

std::int64_t worker_count(const Recipe& recipe, at::Device device) {
  if (!device.is_cpu()) return 1;
  return std::min<std::int64_t>(recipe.workers, at::get_num_threads());
}

double measured_peak(const ComputeChoice& compute, Workers& workers, at::Device device) {
  const double peak = peak_speed(product_type(compute), workers, device);
  log_info(fmt::format("peak: {}; mfu is a share of it",
                       peak_text(product_type(compute), workers, peak, device)));
  return peak;
}

Facts compute_facts(const ComputeChoice& compute, const Workers& workers, double peak,
                    at::Device device) {
  return {{"device", device.str()},
          {"compute", compute.name()},
          {"compute chosen", compute.reason},
          {"threads", std::to_string(at::get_num_threads())},
          {"workers", std::to_string(workers.count())},
          {"peak", peak_text(product_type(compute), workers, peak, device)}};
}

void keep_freed_memory() {
  // Larger ones go back: their pages cost little beside the work on them, and the holes they would
  // leave between gradients add up to a tenth of a large model's step.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace tarsier
