#include "tarsier/train/run_setup.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <malloc.h>

#include <algorithm>
#include <climits>

#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"

namespace tarsier {

at::ScalarType compute_dtype(const Recipe& recipe) {
  if (recipe.compute == "auto")
    return __builtin_cpu_supports("avx512bf16") ? at::kBFloat16 : at::kFloat;
  return parse_dtype(recipe.compute);
}

std::shared_ptr<VideoLanguageModel> load_trainable(const Recipe& recipe) {
  LoadOptions load;
  load.dtype = compute_dtype(recipe);
  load.random_weights = recipe.random_weights;
  load.trainable = true;
  return load_model(recipe.model, load);
}

std::int64_t worker_count(const Recipe& recipe) {
  return std::min<std::int64_t>(recipe.workers, at::get_num_threads());
}

Facts compute_facts(const Recipe& recipe) {
  return {{"compute", c10::toString(compute_dtype(recipe))},
          {"threads", std::to_string(at::get_num_threads())},
          {"workers", std::to_string(worker_count(recipe))}};
}

void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace tarsier
