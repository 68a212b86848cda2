#include "tarsier/train/preference/reference.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/nn/lora.h"
#include "tarsier/train/forward.h"
#include "tarsier/train/objectives/next_token.h"

namespace tarsier {
namespace {

constexpr std::uint64_t kRecheckEvery = 100;  // micro-batches
constexpr double kMayMove = 0.05;             // nats (training.md 12)

// A number of the micro-batch's own: which pairs are in it.
std::uint64_t number_of(const Batch& batch) {
  std::uint64_t number = 0;
  for (const BatchSample& sample : batch.samples) {
    if (sample.pair)
      number = number * 31 + std::stoull(sample.pair->key.substr(0, 15), nullptr, 16);
  }
  return number;
}

}  // namespace

std::vector<double> target_log_probs(const Tensor& residual, const Tensor& head, const Batch& batch,
                                     std::int64_t logit_chunk) {
  const at::NoGradGuard no_grad;
  const Tensor log_probs =
      token_log_probs(residual.index_select(0, batch.target_rows), head, batch.labels, logit_chunk)
          .to(at::kCPU, at::kDouble);
  const double* first = log_probs.const_data_ptr<double>();
  return {first, first + log_probs.numel()};
}

Reference::Reference(std::shared_ptr<VideoLanguageModel> model, Weights weights,
                     const std::filesystem::path& file, const std::string& policy,
                     std::int64_t logit_chunk)
    : model_(std::move(model)),
      weights_(weights),
      head_(output_head(*model_)),
      cache_(file, policy),
      logit_chunk_(logit_chunk) {
  if (weights_ == Weights::of_policy) return;
  const TensorVisitor freeze = [](const std::string&, Tensor& weight) {
    weight.requires_grad_(false);
  };
  model_->visit(Scope(freeze));
}

std::vector<AnswerLogProbs> Reference::log_probs(const Batch& batch, MetPairs& met,
                                                 const Tensor& media) const {
  std::vector<AnswerLogProbs> known;
  bool all_known = true;
  for (const BatchSample& sample : batch.samples) {
    std::optional<AnswerLogProbs> found = AnswerLogProbs{};
    if (sample.pair)
      found = sample.pair->reference ? sample.pair->reference : cache_.find(sample.pair->key);
    all_known = all_known && found.has_value();
    known.push_back(found.value_or(AnswerLogProbs{}));
  }
  if (all_known && number_of(batch) % kRecheckEvery != 0) return known;
  const std::vector<AnswerLogProbs> computed =
      compute(batch, weights_ == Weights::of_policy ? media : Tensor());
  for (std::size_t i = 0; i < batch.samples.size(); ++i) {
    const std::optional<SamplePair>& pair = batch.samples[i].pair;
    if (!pair) continue;
    const std::optional<AnswerLogProbs> earlier =
        pair->reference ? pair->reference : cache_.find(pair->key);
    known[i] = earlier.value_or(computed[i]);
    if (!earlier) {
      met.emplace_back(pair->key, computed[i]);
    } else if (!(std::abs(earlier->chosen - computed[i].chosen) <= kMayMove &&
                 std::abs(earlier->rejected - computed[i].rejected) <= kMayMove)) {
      throw CheckpointError(
          {batch.ids[i],
           fmt::format("has reference log-probabilities {:.3f} and {:.3f}, kept are {:.3f} and "
                       "{:.3f}",
                       computed[i].chosen, computed[i].rejected, earlier->chosen,
                       earlier->rejected),
           "the reference or the way it computes has changed: start anew with another --out"});
    }
  }
  return known;
}

void Reference::remember(const MetPairs& met) {
  for (const auto& [key, log_probs] : met) cache_.add(key, log_probs);
}

// With gradients on, though nothing here has any: 16-bit products differ between the two modes.
std::vector<AnswerLogProbs> Reference::compute(const Batch& batch, Tensor media) const {
  const at::AutoGradMode as_the_policy_learns(true);
  std::optional<WithoutLora> without;
  if (weights_ == Weights::of_policy) without.emplace();
  if (!media.defined() && !batch.media.empty()) media = model_->encode(batch.media);
  const std::vector<double> log_probs =
      target_log_probs(decode_batch(model_->decoder(), batch, media), head_, batch, logit_chunk_);
  std::vector<AnswerLogProbs> sums;
  for (const BatchSample& sample : batch.samples) {
    AnswerLogProbs& sum = sums.emplace_back();
    if (!sample.pair) continue;
    sum = {sum_over(log_probs, sample.branches.at(0)), sum_over(log_probs, sample.branches.at(1))};
  }
  return sums;
}

}  // namespace tarsier
