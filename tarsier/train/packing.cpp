#include "tarsier/train/packing.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace tarsier {
namespace {

// So many bad samples end a step, full or not: whoever counts them must hear of it.
constexpr std::size_t kBadSamplesAStep = 64;

}  // namespace

std::int64_t token_count(const Sample& sample) {
  std::size_t tokens = sample.prefix.tokens.size();
  for (const TokenRun& branch : sample.branches) tokens += branch.tokens.size();
  return static_cast<std::int64_t>(tokens);
}

StepPacker::StepPacker(const SampleSource& source, const Stage& stage, std::uint64_t next,
                       const std::vector<std::uint64_t>& waiting, RankPlace place)
    : source_(source),
      micro_batches_(stage.accumulate),
      budget_(stage.pack_tokens.value()),
      window_(stage.pack_window),
      place_(place),
      next_(next) {
  for (const std::uint64_t number : waiting) {
    Outcome<Sample> outcome = source.sample(number);
    if (auto* note = std::get_if<ErrorNote>(&outcome)) {  // it was good when it was drawn
      lost_.push_back(std::move(*note));
    } else {
      waiting_.push_back({number, std::get<Sample>(std::move(outcome))});
    }
  }
}

bool StepPacker::place(std::vector<MicroBatch>& step, Sample& sample) const {
  const std::int64_t tokens = token_count(sample);
  for (MicroBatch& batch : step) {
    if (batch.tokens + tokens > budget_) continue;
    batch.tokens += tokens;
    batch.samples.push_back(std::move(sample));
    return true;
  }
  return false;
}

StepData StepPacker::make_step() {
  StepData data;
  data.bad = std::exchange(lost_, {});
  std::vector<MicroBatch> step(static_cast<std::size_t>(micro_batches_));
  std::deque<Waiting> still_waiting;
  for (Waiting& each : waiting_) {
    if (!place(step, each.sample)) still_waiting.push_back(std::move(each));
  }
  waiting_ = std::move(still_waiting);
  while (static_cast<std::int64_t>(waiting_.size()) < window_ &&
         data.bad.size() < kBadSamplesAStep) {
    const std::uint64_t number = next_++;
    ++data.samples;
    Outcome<Sample> outcome = source_.sample(number);
    if (auto* note = std::get_if<ErrorNote>(&outcome)) {
      data.bad.push_back(std::move(*note));
      continue;
    }
    auto& sample = std::get<Sample>(outcome);
    if (token_count(sample) > budget_) {
      data.bad.push_back(
          {sample.id,
           fmt::format("has {} tokens, more than pack_tokens {}", token_count(sample), budget_),
           "raise pack_tokens, or give the stage fewer frames"});
    } else if (!place(step, sample)) {
      waiting_.push_back({number, std::move(sample)});
    }
  }
  const auto words = static_cast<std::int64_t>(source_.word_tokens().size());
  for (std::int64_t micro = place_.rank; micro < micro_batches_; micro += place_.size) {
    const std::vector<Sample>& samples = step[static_cast<std::size_t>(micro)].samples;
    if (!samples.empty()) data.micro_batches.push_back(make_batch(samples, words));
  }
  if (place_.rank != 0) data.bad.clear();
  for (const Waiting& each : waiting_) data.waiting.push_back(each.number);
  return data;
}

}  // namespace tarsier
