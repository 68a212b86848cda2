#include "tarsier/engine/stop.h"

#include <algorithm>
#include <utility>

#include "tarsier/base/error.h"

namespace tarsier {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_) check(!stop.empty(), "a stop string is not empty");
}

std::string StopStrings::push(std::string_view piece) {
  if (hit_) return {};
  if (stops_.empty()) return std::string(piece);
  held_ += piece;
  std::size_t first = std::string::npos;
  for (const std::string& stop : stops_) first = std::min(first, held_.find(stop));
  if (first != std::string::npos) {
    hit_ = true;
    return std::exchange(held_, {}).substr(0, first);
  }
  // The longest end of the text that a stop string begins with.
  std::size_t keep = 0;
  for (const std::string& stop : stops_) {
    for (std::size_t length = std::min(stop.size() - 1, held_.size()); length > keep; --length) {
      if (held_.ends_with(std::string_view(stop).substr(0, length))) keep = length;
    }
  }
  std::string certain = held_.substr(0, held_.size() - keep);
  held_.erase(0, certain.size());
  return certain;
}

std::string StopStrings::finish() { return hit_ ? std::string() : std::exchange(held_, {}); }

bool is_end(const std::vector<std::int64_t>& end_ids, std::int64_t id) {
  return std::find(end_ids.begin(), end_ids.end(), id) != end_ids.end();
}

}  // namespace tarsier
