#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace tarsier::test {

/// While it lives: the bytes of CPU tensors made by this thread (and the intra-op threads it
/// starts) since then and not yet freed by them, and the most there were.
class LiveBytes {
 public:
  std::int64_t now() const { return report_->live; }
  std::int64_t peak() const { return report_->peak; }

 private:
  struct Report : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t,
                           c10::Device) override {
      const std::int64_t after = live += bytes;
      for (std::int64_t seen = peak; seen < after && !peak.compare_exchange_weak(seen, after);) {
      }
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::atomic<std::int64_t> live = 0, peak = 0;
  };
  std::shared_ptr<Report> report_ = std::make_shared<Report>();
  c10::DebugInfoGuard guard_{c10::DebugInfoKind::PROFILER_STATE, report_};
};

}  // namespace tarsier::test
