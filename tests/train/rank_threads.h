#pragma once

#include <cstdlib>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "tarsier/train/distributed/launch.h"
#include "tests/free_port.h"

namespace tarsier::test {

/// Before the first group of ranks: c10d's flight recorder, one for the process, notes the groups
/// it meets without a lock, which ranks that are processes never notice.
inline void switch_off_flight_recorder() { ::setenv("TORCH_FR_BUFFER_SIZE", "0", 1); }

/// Runs `body` as each of `size` ranks, in a thread of its own; gives what each threw.
inline std::vector<std::exception_ptr> run_rank_threads(
    std::int64_t size, const std::function<void(const Launch&)>& body) {
  switch_off_flight_recorder();
  const std::int64_t port = free_port();
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size));
  std::vector<std::jthread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body({rank, size, rank, "127.0.0.1", port});
      } catch (...) {
        failures[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  threads.clear();
  return failures;
}

}  // namespace tarsier::test
