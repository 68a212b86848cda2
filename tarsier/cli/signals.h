#pragma once

#include <stop_token>
#include <thread>

namespace tarsier {

/// While it lives, the first SIGINT or SIGTERM requests a stop, and the second ends the process at
/// once with exit code 128 + signal. One object at a time, made before other threads are.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  int signal() const;  // the first one received; 0 while there was none

 private:
  std::stop_source stop_;
  int wake_ = -1;  // an eventfd: the handler writes, the watcher reads
  std::jthread watcher_;
};

}  // namespace tarsier
