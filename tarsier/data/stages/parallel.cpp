#include "tarsier/data/stages/parallel.h"

#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace tarsier {

void in_parallel(std::size_t count, int workers, const std::stop_token& stop,
                 const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::exception_ptr failure;
  const auto take = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      if (stop.stop_requested() || failed) return;
      try {
        work(i);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i < workers && static_cast<std::size_t>(i) < count; ++i)
      threads.emplace_back(take);
    take();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tarsier
