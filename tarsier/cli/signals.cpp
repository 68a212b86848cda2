#include "tarsier/cli/signals.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command.h"

namespace tarsier {
namespace {

// A handler has no other way to reach its object than a global; both are lock-free, which a handler
// needs.
std::atomic<int> g_received{0};
std::atomic<int> g_wake{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void wake(int descriptor) {
  const std::uint64_t one = 1;
  // The only failure, a full counter, means that the watcher is awake already.
  [[maybe_unused]] const ssize_t written = write(descriptor, &one, sizeof one);
}

// Calls only what is safe in a handler. Requesting the stop is not, so the watcher does it.
void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  if (!g_received.compare_exchange_strong(none, number)) _exit(kExitSignal + number);
  wake(g_wake.load());
  errno = saved;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

StopOnSignal::StopOnSignal() : wake_(eventfd(0, EFD_CLOEXEC)) {
  if (wake_ < 0)
    throw ResourceError({"signals", std::strerror(errno), "raise the limit on open files"});
  g_received = 0;
  g_wake = wake_;
  watcher_ = std::jthread([this](const std::stop_token& ending) {
    std::uint64_t count = 0;
    while (read(wake_, &count, sizeof count) < 0 && errno == EINTR) {
    }
    if (ending.stop_requested()) return;
    log_info("stopping; once more to stop at once");
    stop_.request_stop();
  });
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
}

StopOnSignal::~StopOnSignal() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  watcher_.request_stop();
  wake(wake_);
  watcher_.join();
  g_wake = -1;
  close(wake_);
}

int StopOnSignal::signal() const { return g_received.load(); }

}  // namespace tarsier
