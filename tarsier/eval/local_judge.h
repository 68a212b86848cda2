#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "tarsier/engine/aten_backend.h"
#include "tarsier/judge/chat_judge.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// A model of this project as a judge: it answers in words to words alone. Requests wait for one
/// another, for a model answers one at a time.
///
/// Without a temperature the first attempt is greedy and later ones draw at 0.7 with their own
/// number as seed, so that they differ; without max_tokens an answer has up to 2048 tokens, fewer
/// where the model has no room for them. A prompt that is too long, and tokens asked for that do
/// not fit behind it, cost the attempt.
class LocalJudge : public ChatJudge {
 public:
  /// `name` is the judge's id: it should tell one set of weights from another.
  LocalJudge(std::shared_ptr<const VideoLanguageModel> model, std::string name,
             const AtenBackendOptions& options = {});

  Outcome<std::string> complete(const JudgeRequest& request, std::stop_token stop) override;
  std::string id() const override { return name_; }

 private:
  std::shared_ptr<const VideoLanguageModel> model_;
  std::string name_;
  std::mutex mutex_;  // of what follows
  AtenBackend backend_;
};

}  // namespace tarsier
