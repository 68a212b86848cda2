#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// Watches an answer's text for strings that end it, wherever token borders fall. Text that may be
/// the beginning of one is held back until it is certain. One answer each.
class StopStrings {
 public:
  explicit StopStrings(std::vector<std::string> stops);  // none of them empty

  /// The text that is certain now. After a hit: what comes before the stop string, the last of the
  /// answer.
  std::string push(std::string_view piece);
  /// What was held back, for an answer that ended without a stop string.
  std::string finish();
  bool hit() const { return hit_; }

 private:
  const std::vector<std::string> stops_;
  std::string held_;
  bool hit_ = false;
};

/// Whether `id` is one of the ids that end an answer.
bool is_end(const std::vector<std::int64_t>& end_ids, std::int64_t id);

}  // namespace tarsier
