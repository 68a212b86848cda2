#include "tarsier/train/preference/reference_cache.h"

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {

ReferenceCache::ReferenceCache(const std::filesystem::path& file, const std::string& policy)
    : log_(file) {
  bool first = true;
  for (const std::string& line : log_.earlier()) {
    const JsonView json = parse_json(line, file.string(), JsonOwner::checkpoint);
    if (first && json.at("policy").as_string() != policy)
      throw CheckpointError(
          {file.string(), "is of another reference policy", "remove it, or use another --out"});
    if (!first)
      known_[json.at("key").as_string()] = {json.at("chosen").as_double(),
                                            json.at("rejected").as_double()};
    first = false;
  }
  if (!first) return;
  log_.append(nlohmann::json{{"policy", policy}}.dump());
  log_.flush();
}

std::optional<AnswerLogProbs> ReferenceCache::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void ReferenceCache::add(const std::string& key, const AnswerLogProbs& log_probs) {
  const std::lock_guard lock(mutex_);
  if (!known_.emplace(key, log_probs).second) return;
  log_.append(nlohmann::ordered_json{
      {"key", key}, {"chosen", log_probs.chosen}, {"rejected", log_probs.rejected}}
                  .dump());
}

void ReferenceCache::flush() {
  const std::lock_guard lock(mutex_);
  log_.flush();
}

}  // namespace tarsier
