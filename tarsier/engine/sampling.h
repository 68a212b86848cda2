#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tarsier/base/random.h"

namespace tarsier {

/// How an answer is chosen and when it ends.
struct SamplingParams {
  double temperature = 0;                    // 0: greedy, and top_p, top_k and seed play no part
  double top_p = 1;                          // (0, 1]
  std::int64_t top_k = 0;                    // 0: all
  std::optional<double> repetition_penalty;  // unset: what the model's generation_config.json says
  std::optional<std::int64_t>
      max_new_tokens;  // unset: kDefaultNewTokens, fewer where the model's limit leaves less
  std::uint64_t seed = 0;
  bool keep_loops = false;        // an answer that only repeats itself goes on all the same
  std::vector<std::string> stop;  // any of these strings ends the answer and is not part of it
};

constexpr std::int64_t kDefaultNewTokens = 512;

/// Throws ConfigError naming the flag of a value that cannot be honoured.
void check_sampling(const SamplingParams& params);

// The steps below work on logits f32 [vocab], in the order Hugging Face's generate applies them; a
// token left out gets -infinity.

/// For each of `distinct_ids`: logit * penalty when negative, logit / penalty when not.
void penalize_repetition_(std::span<float> logits, std::span<const std::int64_t> distinct_ids,
                          double penalty);
void divide_by_temperature_(std::span<float> logits, double temperature);
/// Leaves out what is below the k-th largest; ties with it stay.
void keep_top_k_(std::span<float> logits, std::int64_t k);
/// Keeps the most probable tokens until they add up to at least p; always one.
void keep_top_p_(std::span<float> logits, double p);

/// The largest logit; of equals the first. CheckpointError when the logits are not numbers.
std::int64_t greedy_token(std::span<const float> logits);
/// Draws from softmax(logits) with one number of `random`. CheckpointError when the logits are not
/// numbers.
std::int64_t draw_token(std::span<const float> logits, Random& random);

/// All of it for one answer. Starts from the prompt, whose ids a repetition penalty counts too.
class Sampler {
 public:
  /// `penalty` applies where params leave it open.
  Sampler(const SamplingParams& params, std::span<const std::int64_t> prompt_tokens,
          double penalty);
  std::int64_t next(std::span<const float> logits);  // [vocab] -> an id

 private:
  void remember(std::int64_t id);

  const double temperature_, top_p_, penalty_;
  const std::int64_t top_k_;
  Random random_;
  std::vector<std::int64_t> seen_;     // distinct ids, kept only when there is a penalty
  std::vector<std::uint8_t> is_seen_;  // by id
  std::vector<float> scratch_;
};

}  // namespace tarsier
