#include "tarsier/train/compute_choice.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"
#include "tarsier/train/product_speed.h"
#include "tarsier/train/run_setup.h"
#include "tarsier/train/train_state.h"

namespace tarsier {
namespace {

constexpr std::int64_t kRows = 256;  // tokens: enough for the full rate, short in any model

}  // namespace

std::string ComputeChoice::name() const {
  return products == LinearProducts::bf16 ? "mixed" : name_of(type);
}

ComputeChoice choose_compute(const Recipe& recipe, const std::optional<std::string>& saved,
                             bool multiplies_bf16, const MeasureSpeed& measure) {
  if (recipe.compute == "mixed") return {at::kFloat, "the recipe says so", LinearProducts::bf16};
  if (recipe.compute != "auto") return {parse_dtype(recipe.compute), "the recipe says so"};
  if (saved) {
    if (*saved == "bf16" && !multiplies_bf16) {
      throw ResourceError({"compute: auto",
                           "the run began in bf16, which this CPU does not multiply itself",
                           "go on where the CPU has avx512_bf16, or start afresh with compute=f32 "
                           "in another --out"});
    }
    return {parse_dtype(*saved), "kept from the checkpoint"};
  }
  if (!multiplies_bf16) return {at::kFloat, "this CPU does not multiply bf16 itself"};
  const double f32 = measure(at::kFloat), bf16 = measure(at::kBFloat16);
  return {bf16 > f32 ? at::kBFloat16 : at::kFloat,
          fmt::format("measured: {:.1f} GFLOP/s in f32, {:.1f} in bf16", f32 / 1e9, bf16 / 1e9)};
}

ComputeChoice choose_compute(const Recipe& recipe, const std::filesystem::path& run, bool resume,
                             at::Device device) {
  if (recipe.compute == "mixed" && !device.is_cpu())
    throw ConfigError({"compute: mixed", "is for CPUs", "use bf16 or f32 on " + device.str()});
  const MeasureSpeed measure = [&](at::ScalarType type) {
    const DecoderConfig decoder = read_decoder_config(recipe.model);
    Workers workers(worker_count(recipe, device));
    return linear_speed(type, kRows, decoder.hidden_size, decoder.intermediate_size, workers,
                        device);
  };
  const bool multiplies_bf16 = !device.is_cpu() || __builtin_cpu_supports("avx512bf16") != 0;
  const ComputeChoice choice =
      choose_compute(recipe, resume ? saved_compute(run) : std::nullopt, multiplies_bf16, measure);
  if (recipe.compute == "auto")
    log_info(fmt::format("compute: {} ({})", name_of(choice.type), choice.reason));
  return choice;
}

}  // namespace tarsier
