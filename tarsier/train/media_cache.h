#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"

namespace tarsier {

/// Media tokens of towers that do not learn, by the content of what is seen and heard: each video
/// is encoded once (training.md 12), as long as there is room. Every sample is encoded by itself,
/// so its tokens have the same bits whatever else is in its batch, remembered or not. Any number of
/// threads.
class MediaCache {
 public:
  explicit MediaCache(std::int64_t max_bytes) : max_bytes_(max_bytes) {}

  /// [media_tokens, hidden] of the batch, which is on the model's device; `on_host` is the same
  /// batch in the CPU's memory. Undefined when it has no media.
  Tensor tokens_of(const VideoLanguageModel& model, const Batch& on_host, const Batch& batch);

  std::int64_t hits() const;

 private:
  std::int64_t max_bytes_;
  mutable std::mutex mutex_;  // of what follows
  std::map<std::string, Tensor> tokens_;
  std::int64_t bytes_ = 0, hits_ = 0;
};

}  // namespace tarsier
