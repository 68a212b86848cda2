#include "tarsier/engine/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr float kLeftOut = -std::numeric_limits<float>::infinity();

[[noreturn]] void throw_not_numbers() {
  throw CheckpointError({"logits", "the model computed values that are not numbers",
                         "check its files with `tarsier verify`; a bf16 model overflows in f16"});
}

[[noreturn]] void refuse(const char* flag, std::string what, const char* hint) {
  throw ConfigError({flag, std::move(what), hint});
}

}  // namespace

void check_sampling(const SamplingParams& params) {
  if (!(params.temperature >= 0) || std::isinf(params.temperature)) {
    refuse("--temperature", fmt::format("{} is not a number from 0", params.temperature),
           "0 is greedy");
  }
  if (!(params.top_p > 0 && params.top_p <= 1))
    refuse("--top-p", fmt::format("{} is outside (0, 1]", params.top_p), "1 keeps all");
  if (params.top_k < 0)
    refuse("--top-k", fmt::format("{} is negative", params.top_k), "0 keeps all");
  if (params.repetition_penalty &&
      !(*params.repetition_penalty > 0 && std::isfinite(*params.repetition_penalty))) {
    refuse("--repetition-penalty", fmt::format("{} is not above 0", *params.repetition_penalty),
           "1 is none");
  }
  if (params.max_new_tokens && *params.max_new_tokens < 1) {
    refuse("--max-new-tokens", fmt::format("{} is below 1", *params.max_new_tokens),
           "leave it out for the default");
  }
  for (const std::string& stop : params.stop) {
    if (stop.empty()) refuse("--stop", "is empty", "name the text that ends an answer");
  }
}

void penalize_repetition_(std::span<float> logits, std::span<const std::int64_t> distinct_ids,
                          double penalty) {
  const float factor = static_cast<float>(penalty);
  for (const std::int64_t id : distinct_ids) {
    float& logit = logits[static_cast<std::size_t>(id)];
    logit = logit < 0 ? logit * factor : logit / factor;
  }
}

void divide_by_temperature_(std::span<float> logits, double temperature) {
  const float divisor = static_cast<float>(temperature);
  for (float& logit : logits) logit /= divisor;
}

void keep_top_k_(std::span<float> logits, std::int64_t k) {
  if (k <= 0 || k >= static_cast<std::int64_t>(logits.size())) return;
  std::vector<float> sorted(logits.begin(), logits.end());
  std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(), std::greater<>());
  const float least = sorted[static_cast<std::size_t>(k - 1)];
  for (float& logit : logits) {
    if (logit < least) logit = kLeftOut;
  }
}

void keep_top_p_(std::span<float> logits, double p) {
  if (p >= 1) return;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > kLeftOut) order.push_back(i);
  }
  if (order.empty()) return;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] < logits[b]; });
  const float largest = logits[order.back()];
  double sum = 0;
  for (const std::size_t i : order) sum += std::exp(static_cast<double>(logits[i] - largest));
  // From the least probable up, as Hugging Face does: out while the sum so far is at most 1 - p;
  // the last one always stays.
  double below = 0;
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    below += std::exp(static_cast<double>(logits[order[i]] - largest)) / sum;
    if (below > 1 - p) break;
    logits[order[i]] = kLeftOut;
  }
}

std::int64_t greedy_token(std::span<const float> logits) {
  check(!logits.empty(), "there is a logit");
  std::size_t best = 0;
  bool numbers = true;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    numbers = numbers && !std::isnan(logits[i]);
    if (logits[i] > logits[best]) best = i;
  }
  if (!numbers || std::isinf(logits[best])) throw_not_numbers();
  return static_cast<std::int64_t>(best);
}

std::int64_t draw_token(std::span<const float> logits, Random& random) {
  const float largest = logits[static_cast<std::size_t>(greedy_token(logits))];
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - largest));
  double left = random.uniform() * sum;
  std::int64_t chosen = -1;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp(static_cast<double>(logits[i] - largest));
    if (weight == 0) continue;
    chosen = static_cast<std::int64_t>(i);  // also where rounding leaves a little at the end
    left -= weight;
    if (left < 0) break;
  }
  return chosen;
}

Sampler::Sampler(const SamplingParams& params, std::span<const std::int64_t> prompt_tokens,
                 double penalty)
    : temperature_(params.temperature),
      top_p_(params.top_p),
      penalty_(params.repetition_penalty.value_or(penalty)),
      top_k_(params.top_k),
      random_({params.seed}) {
  if (penalty_ == 1) return;
  for (const std::int64_t id : prompt_tokens) remember(id);
}

void Sampler::remember(std::int64_t id) {
  const auto index = static_cast<std::size_t>(id);
  if (index >= is_seen_.size()) is_seen_.resize(index + 1);
  if (is_seen_[index]) return;
  is_seen_[index] = 1;
  seen_.push_back(id);
}

std::int64_t Sampler::next(std::span<const float> logits) {
  if (penalty_ == 1 && temperature_ == 0) return greedy_token(logits);
  scratch_.assign(logits.begin(), logits.end());
  if (penalty_ != 1) penalize_repetition_(scratch_, seen_, penalty_);
  std::int64_t id = 0;
  if (temperature_ == 0) {
    id = greedy_token(scratch_);
  } else {
    divide_by_temperature_(scratch_, temperature_);
    keep_top_k_(scratch_, top_k_);
    keep_top_p_(scratch_, top_p_);
    id = draw_token(scratch_, random_);
  }
  if (penalty_ != 1) remember(id);
  return id;
}

}  // namespace tarsier
