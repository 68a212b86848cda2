#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tarsier/judge/answer_log.h"
#include "tarsier/judge/chat_judge.h"

namespace tarsier {

/// The key of a request to the judge `id`: the SHA-256, in hexadecimal, of the id, the words, the
/// parameters and the attempt. The prompt's version and the model are in the words and the id.
std::string judge_request_key(const std::string& id, const JudgeRequest& request);

enum class CacheUse { ask_missing, offline };

/// A judge whose answers are kept on disk (answer_log.h), each from the moment it is there: a run
/// that is killed or repeated asks only for what is missing. Failed requests are not kept.
/// Thread-safe; two equal requests at the same time get the same answer.
class CachedJudge : public ChatJudge {
 public:
  /// Errors as AnswerLog. With `offline` nothing is asked or written, and complete() throws
  /// InputError naming the key of an answer that is missing.
  CachedJudge(std::shared_ptr<ChatJudge> judge, const std::filesystem::path& folder,
              CacheUse use = CacheUse::ask_missing);

  Outcome<std::string> complete(const JudgeRequest& request, std::stop_token stop) override;
  std::string id() const override { return judge_->id(); }

 private:
  std::shared_ptr<ChatJudge> judge_;
  std::filesystem::path folder_;
  CacheUse use_;
  AnswerLog log_;
};

}  // namespace tarsier
