#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

#include "tarsier/train/tensorboard_events.h"

namespace tarsier {

/// A run's TensorBoard file, events.out.tfevents.<time>.<host>. TensorBoard reads all such files of
/// a folder as one run, so a run that goes on starts a file of its own. ResourceError when the disk
/// refuses.
class EventFile {
 public:
  /// Nothing is written before the first event. What other files of the folder hold after
  /// `resumed_step` is void.
  EventFile(std::filesystem::path folder, std::int64_t resumed_step);
  void add_scalars(std::int64_t step, std::span<const TaggedScalar> values);
  void add_text(std::int64_t step, std::string_view tag, std::string_view text);

 private:
  void open();
  void write(std::string_view event);

  std::filesystem::path folder_, file_;
  std::int64_t resumed_step_;
  std::ofstream stream_;
};

}  // namespace tarsier
