#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <memory>
#include <string>

#include "tarsier/train/distributed/launch.h"

namespace c10d {
class Store;
}

namespace tarsier {

/// The table all ranks of a run can write to, on rank 0's machine, or the launcher's where it keeps
/// one. Through it they meet, and know after a failure who is behind. One thread.
class Rendezvous {
 public:
  /// Joins. ResourceError when rank 0 is not found within `limit`.
  Rendezvous(const Launch& launch, std::chrono::seconds limit);
  ~Rendezvous();
  /// For what opens connections of its own.
  c10::intrusive_ptr<c10d::Store> store() const;
  /// From now on the others have met: answers come soon or not at all.
  void met();
  /// ResourceError: the ranks did not meet.
  [[noreturn]] void throw_not_met() const;
  /// Runs what all ranks do together; when it throws, `leave`, which must close the connections to
  /// the others, so that those who wait for this one learn of it now; then ResourceError that names
  /// who did not come.
  template <class Collective, class Leave>
  void together(const Collective& collective, const Leave& leave) {
    try {
      announce();
      collective();
    } catch (const std::exception&) {
      begin_asking();
      leave();
      throw_culprit();
    }
  }

 private:
  struct State;
  void announce();
  void begin_asking();
  [[noreturn]] void throw_culprit();

  std::unique_ptr<State> state_;
};

}  // namespace tarsier
