#include "tarsier/train/prefetch.h"

#include <ATen/Parallel.h>

#include <exception>
#include <functional>
#include <thread>
#include <variant>

#include "tarsier/base/bounded_queue.h"
#include "tarsier/train/packing.h"

namespace tarsier {
namespace {

constexpr std::size_t kStepsAhead = 3;

StepData make_step(const SampleSource& source, const Stage& stage, std::uint64_t first_sample,
                   RankPlace place) {
  StepData data;
  for (std::int64_t micro = 0; micro < stage.accumulate; ++micro) {
    if (micro % place.size != place.rank) {  // another rank's
      data.samples += static_cast<std::uint64_t>(stage.clips_per_step);
      continue;
    }
    std::vector<Sample> samples;
    for (std::int64_t i = 0; i < stage.clips_per_step; ++i) {
      Outcome<Sample> outcome = source.sample(first_sample + data.samples++);
      if (auto* note = std::get_if<ErrorNote>(&outcome)) {
        data.bad.push_back(std::move(*note));
      } else {
        samples.push_back(std::get<Sample>(std::move(outcome)));
      }
    }
    if (!samples.empty())
      data.micro_batches.push_back(
          make_batch(samples, static_cast<std::int64_t>(source.word_tokens().size())));
  }
  return data;
}

// The steps of a stage, one after another.
std::function<StepData()> step_maker(const SampleSource& source, const Stage& stage,
                                     std::uint64_t first_sample,
                                     const std::vector<std::uint64_t>& waiting, RankPlace place) {
  if (stage.pack_tokens) {
    const auto packer = std::make_shared<StepPacker>(source, stage, first_sample, waiting, place);
    return [packer] { return packer->make_step(); };
  }
  return [&source, stage, sample = first_sample, place]() mutable {
    StepData data = make_step(source, stage, sample, place);
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
                   std::vector<std::uint64_t> waiting, RankPlace place)
    : state_(std::make_unique<State>()) {
  state_->thread = std::jthread([this, &source, stage, first_sample, waiting = std::move(waiting),
                                 place](std::stop_token stop) {
    // The cores belong to the training step; this thread works alone. (The call sets this
    // thread's share only.)
    at::set_num_threads(1);
    try {
      const auto next_step = step_maker(source, stage, first_sample, waiting, place);
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
