#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "tarsier/judge/chat_judge.h"

namespace tarsier {

/// A judge whose answers are a function of the request: for tests and dry runs. Thread-safe where
/// `script` is.
class ScriptedJudge : public ChatJudge {
 public:
  using Script = std::function<Outcome<std::string>(const JudgeRequest& request)>;

  explicit ScriptedJudge(Script script, std::string id = "scripted")
      : script_(std::move(script)), id_(std::move(id)) {}

  Outcome<std::string> complete(const JudgeRequest& request, std::stop_token stop) override {
    if (stop.stop_requested()) return stopped_note();
    ++calls_;
    return script_(request);
  }
  std::string id() const override { return id_; }
  std::int64_t calls() const { return calls_; }

 private:
  Script script_;
  std::string id_;
  std::atomic<std::int64_t> calls_ = 0;
};

}  // namespace tarsier
