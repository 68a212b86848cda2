#include "tarsier/train/prefetch.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <thread>
#include <variant>

#include "tarsier/base/bounded_queue.h"
#include "tarsier/tensor/workers.h"
#include "tarsier/train/packing.h"

namespace tarsier {
namespace {

constexpr std::size_t kStepsAhead = 3;

// A sample a thread.
std::vector<Outcome<Sample>> make_samples(const SampleSource& source, std::uint64_t first,
                                          std::int64_t count, Workers& threads) {
  std::vector<Outcome<Sample>> samples(static_cast<std::size_t>(count));
  threads.run(count, [&](std::int64_t i) {
    samples[static_cast<std::size_t>(i)] = source.sample(first + static_cast<std::uint64_t>(i));
  });
  return samples;
}

std::int64_t token_count(const std::vector<Sample>& samples) {
  std::int64_t tokens = 0;
  for (const Sample& sample : samples) tokens += token_count(sample);
  return tokens;
}

// A step's micro-batches, neighbours joined as the settings say.
std::vector<std::vector<Sample>> joined(std::vector<std::vector<Sample>> micro_batches,
                                        std::int64_t join_tokens) {
  std::vector<std::vector<Sample>> all;
  for (std::vector<Sample>& next : micro_batches) {
    if (!all.empty() && token_count(all.back()) + token_count(next) <= join_tokens) {
      std::move(next.begin(), next.end(), std::back_inserter(all.back()));
    } else {
      all.push_back(std::move(next));
    }
  }
  return all;
}

StepData make_step(const SampleSource& source, const Stage& stage, std::uint64_t first_sample,
                   const PrefetchSettings& settings, Workers& threads) {
  StepData data;
  std::vector<std::vector<Sample>> micro_batches;
  for (std::int64_t micro = 0; micro < stage.accumulate; ++micro) {
    const std::uint64_t first = first_sample + data.samples;
    data.samples += static_cast<std::uint64_t>(stage.clips_per_step);
    if (micro % settings.place.size != settings.place.rank) continue;  // another rank's
    std::vector<Sample> samples;
    for (Outcome<Sample>& outcome : make_samples(source, first, stage.clips_per_step, threads)) {
      if (auto* note = std::get_if<ErrorNote>(&outcome)) {
        data.bad.push_back(std::move(*note));
      } else {
        samples.push_back(std::get<Sample>(std::move(outcome)));
      }
    }
    if (!samples.empty()) micro_batches.push_back(std::move(samples));
  }
  const auto words = static_cast<std::int64_t>(source.word_tokens().size());
  for (const auto& samples : joined(std::move(micro_batches), settings.join_tokens))
    data.micro_batches.push_back(make_batch(samples, words));
  return data;
}

// The steps of a stage, one after another.
std::function<StepData()> step_maker(const SampleSource& source, const Stage& stage,
                                     std::uint64_t first_sample,
                                     const std::vector<std::uint64_t>& waiting,
                                     const PrefetchSettings& settings, Workers& threads) {
  if (stage.pack_tokens) {
    const auto packer =
        std::make_shared<StepPacker>(source, stage, first_sample, waiting, settings.place);
    return [packer] { return packer->make_step(); };
  }
  return [&source, stage, sample = first_sample, settings, &threads]() mutable {
    StepData data = make_step(source, stage, sample, settings, threads);
    sample += data.samples;
    return data;
  };
}

}  // namespace

struct Prefetch::State {
  BoundedQueue<std::variant<StepData, std::exception_ptr>> queue{kStepsAhead};
  std::jthread thread;
};

Prefetch::Prefetch(const SampleSource& source, const Stage& stage, std::uint64_t first_sample,
                   std::vector<std::uint64_t> waiting, const PrefetchSettings& settings)
    : state_(std::make_unique<State>()) {
  state_->thread = std::jthread([this, &source, stage, first_sample, waiting = std::move(waiting),
                                 settings](std::stop_token stop) {
    at::set_num_threads(1);  // of this thread only
    Workers workers(settings.threads);
    try {
      const auto next_step = step_maker(source, stage, first_sample, waiting, settings, workers);
      while (!stop.stop_requested()) {
        if (!state_->queue.push(next_step(), stop)) return;
      }
    } catch (...) {
      state_->queue.push(std::current_exception(), stop);
    }
  });
}

Prefetch::~Prefetch() {
  state_->thread.request_stop();
  state_->thread.join();
}

StepData Prefetch::next() {
  auto item = state_->queue.pop();
  check(item.has_value(), "the prefetch queue is open while its owner lives");
  if (auto* failure = std::get_if<std::exception_ptr>(&*item)) std::rethrow_exception(*failure);
  return std::get<StepData>(std::move(*item));
}

}  // namespace tarsier
