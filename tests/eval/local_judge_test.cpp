#include "tarsier/eval/local_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tarsier/judge/chat_event_judge.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

using testing::HasSubstr;

// tarsier-nano knows nothing of judging; but that it answers, the same each time, it can show.
class LocalJudging : public ::testing::Test {
 protected:
  LocalJudging()
      : judge_(
            load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", {}),
            "local tarsier-nano") {}

  std::string ask(const JudgeRequest& request, std::stop_token stop = {}) {
    const Outcome<std::string> answer = judge_.complete(request, std::move(stop));
    const auto* note = std::get_if<ErrorNote>(&answer);
    return note == nullptr ? std::get<std::string>(answer) : "note: " + note->text();
  }
  static JudgeRequest question(std::int64_t attempt = 0) {
    JudgeRequest request;
    request.system = "Answer.";
    request.user = "Does the red circle jump?";
    request.params.max_tokens = 12;
    request.attempt = attempt;
    return request;
  }
  LocalJudge judge_;
};

TEST_F(LocalJudging, AnswersWordsGreedilyThenByDrawing) {
  const std::string first = ask(question());
  EXPECT_FALSE(first.starts_with("note: ")) << first;
  EXPECT_EQ(ask(question()), first);
  EXPECT_EQ(ask(question(3)), ask(question(3)));
  JudgeRequest seeded = question();
  seeded.params.temperature = 1.5;
  seeded.params.seed = 7;
  EXPECT_EQ(ask(seeded), ask(seeded));
  EXPECT_EQ(judge_.id(), "local tarsier-nano");
}

TEST_F(LocalJudging, WhatDoesNotFitCostsTheAttempt) {
  JudgeRequest request = question();
  for (int i = 0; i < 12; ++i) request.user += request.user;
  EXPECT_THAT(ask(request), HasSubstr("note: prompt: has "));
  request = question();
  request.params.max_tokens = 100'000;
  EXPECT_THAT(ask(request), HasSubstr("note: --max-new-tokens: 100000 do not fit"));
}

TEST_F(LocalJudging, StopsAndIsSharedByThreads) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ask(question(), stop.get_token()), "note: judge: was stopped");
  const std::string first = ask(question());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(ask(question()), first); });
  }
}

TEST_F(LocalJudging, AJudgeThatCannotJudgeFails) {
  JudgeParams params;
  params.max_tokens = 8;
  ChatEventJudge events(std::shared_ptr<ChatJudge>(std::shared_ptr<ChatJudge>(), &judge_), params);
  const auto result = events.extract("The red circle jumps.", {});
  EXPECT_THAT(std::get<ErrorNote>(result).text(),
              HasSubstr("local tarsier-nano: gave no usable answer in 10 attempts"));
}

}  // namespace
}  // namespace tarsier
