#include "tarsier/tensor/workers.h"

#include <ATen/Parallel.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tarsier {

struct Workers::State {
  std::int64_t count = 1;
  std::mutex mutex;
  std::condition_variable_any changed;
  const std::function<void(std::int64_t)>* work = nullptr;
  std::int64_t next = 0, pieces = 0, done = 0;
  std::vector<std::exception_ptr> failures;
  std::vector<std::jthread> threads;  // last: they end before what they use

  void serve(std::stop_token stop) {
    at::set_num_threads(1);  // of this thread only
    std::unique_lock lock(mutex);
    while (changed.wait(lock, stop, [this] { return next < pieces; })) {
      const std::int64_t piece = next++;
      lock.unlock();
      std::exception_ptr failure;
      try {
        (*work)(piece);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      failures[static_cast<std::size_t>(piece)] = failure;
      if (++done == pieces) changed.notify_all();
    }
  }
};

Workers::Workers(std::int64_t count) : state_(std::make_unique<State>()) {
  state_->count = count;
  if (count == 1) return;
  for (std::int64_t i = 0; i < count; ++i) {
    state_->threads.emplace_back(
        [state = state_.get()](std::stop_token stop) { state->serve(stop); });
  }
}

Workers::~Workers() = default;

std::int64_t Workers::count() const noexcept { return state_->count; }

void Workers::run(std::int64_t pieces, const std::function<void(std::int64_t)>& work) {
  if (pieces == 0) return;
  if (state_->threads.empty()) {
    for (std::int64_t i = 0; i < pieces; ++i) work(i);
    return;
  }
  std::unique_lock lock(state_->mutex);
  state_->work = &work;
  state_->failures.assign(static_cast<std::size_t>(pieces), nullptr);
  state_->next = state_->done = 0;
  state_->pieces = pieces;
  state_->changed.notify_all();
  state_->changed.wait(lock, [this] { return state_->done == state_->pieces; });
  state_->pieces = state_->next = 0;
  for (const std::exception_ptr& failure : state_->failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace tarsier
