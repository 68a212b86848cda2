#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace tarsier {

/// Threads that each compute whole pieces of work, with one intra-op thread apiece: small models
/// spend less that way than by splitting every operation over the cores.
class Workers {
 public:
  /// With a count of 1 there is no thread: pieces run in the caller's, with its intra-op threads.
  explicit Workers(std::int64_t count);
  ~Workers();
  std::int64_t count() const noexcept;
  /// Calls work(0) to work(pieces - 1), each once, and returns when all are done. The exception of
  /// the lowest piece that threw one is thrown on. One call at a time.
  void run(std::int64_t pieces, const std::function<void(std::int64_t)>& work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarsier
