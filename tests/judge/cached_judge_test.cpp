#include "tarsier/judge/cached_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/judge/scripted_judge.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

JudgeRequest question(const std::string& user) {
  JudgeRequest request;
  request.system = "Answer.";
  request.user = user;
  return request;
}

std::shared_ptr<ScriptedJudge> echo() {
  return std::make_shared<ScriptedJudge>(
      [](const JudgeRequest& request) -> Outcome<std::string> { return "to " + request.user; },
      "echo 1");
}

std::string text(const Outcome<std::string>& answer) {
  const auto* note = std::get_if<ErrorNote>(&answer);
  return note == nullptr ? std::get<std::string>(answer) : "note: " + note->text();
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class Cache : public ::testing::Test {
 protected:
  std::filesystem::path log() const { return folder_ / "answers.jsonl"; }
  TemporaryFolder folder_;
};

TEST_F(Cache, AsksOnceForEachRequest) {
  const auto judge = echo();
  CachedJudge cached(judge, folder_.path());
  EXPECT_EQ(text(cached.complete(question("a"), {})), "to a");
  EXPECT_EQ(text(cached.complete(question("a"), {})), "to a");
  EXPECT_EQ(judge->calls(), 1);
  JudgeRequest again = question("a");
  again.attempt = 1;
  EXPECT_EQ(text(cached.complete(again, {})), "to a");
  EXPECT_EQ(judge->calls(), 2);
}

TEST_F(Cache, EveryPartOfARequestIsInItsKey) {
  const JudgeRequest plain = question("a");
  std::vector<JudgeRequest> others(7, plain);
  others[0].system = "";
  others[1].user = "b";
  others[2].params.temperature = 0;
  others[3].params.top_p = 0.1;
  others[4].params.seed = 0;
  others[5].params.max_tokens = 10;
  others[6].attempt = 1;
  std::set<std::string> keys = {judge_request_key("x", plain), judge_request_key("y", plain)};
  for (const JudgeRequest& other : others) keys.insert(judge_request_key("x", other));
  EXPECT_EQ(keys.size(), 9u);
  JudgeRequest left, right;  // the same letters, parted elsewhere
  left.system = "ab";
  left.user = "c";
  right.system = "a";
  right.user = "bc";
  EXPECT_NE(judge_request_key("x", left), judge_request_key("x", right));
}

TEST_F(Cache, IsReadWithoutAJudge) {
  { CachedJudge(echo(), folder_.path()).complete(question("a \xE2\x98\x83\n"), {}); }
  const auto judge = echo();
  CachedJudge offline(judge, folder_.path(), CacheUse::offline);
  EXPECT_EQ(text(offline.complete(question("a \xE2\x98\x83\n"), {})), "to a \xE2\x98\x83\n");
  const std::string key = judge_request_key("echo 1", question("b"));
  EXPECT_EQ(message_of([&] { offline.complete(question("b"), {}); }),
            folder_.path().string() + ": holds no answer " + key +
                " of echo 1; run once without --offline");
  EXPECT_EQ(judge->calls(), 0);
}

TEST_F(Cache, OfflineWithoutAnyCacheMakesNone) {
  CachedJudge offline(echo(), folder_ / "none", CacheUse::offline);
  EXPECT_THROW(offline.complete(question("a"), {}), InputError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
}

TEST_F(Cache, KeepsNoFailures) {
  bool works = false;
  const auto judge =
      std::make_shared<ScriptedJudge>([&](const JudgeRequest&) -> Outcome<std::string> {
        if (works) return "yes";
        return ErrorNote{"judge", "is away", ""};
      });
  CachedJudge cached(judge, folder_.path());
  EXPECT_EQ(text(cached.complete(question("a"), {})), "note: judge: is away");
  works = true;
  EXPECT_EQ(text(cached.complete(question("a"), {})), "yes");
}

TEST_F(Cache, RefusesAnswersThatAreNotUtf8) {
  CachedJudge cached(std::make_shared<ScriptedJudge>(
                         [](const JudgeRequest&) -> Outcome<std::string> { return "\xFF"; }),
                     folder_.path());
  EXPECT_EQ(text(cached.complete(question("a"), {})), "note: scripted: its answer is not UTF-8");
  EXPECT_EQ(read_text(log()), "");
}

TEST_F(Cache, CutsALineThatAKillLeftUnfinished) {
  { CachedJudge(echo(), folder_.path()).complete(question("a"), {}); }
  const std::string whole = read_text(log());
  write_text(log(), whole + whole.substr(0, whole.size() / 2));
  {
    CachedJudge offline(echo(), folder_.path(), CacheUse::offline);
    EXPECT_EQ(text(offline.complete(question("a"), {})), "to a");
  }
  const auto judge = echo();
  CachedJudge cached(judge, folder_.path());
  EXPECT_EQ(read_text(log()), whole);
  EXPECT_EQ(text(cached.complete(question("b"), {})), "to b");
  EXPECT_EQ(text(cached.complete(question("a"), {})), "to a");
  EXPECT_EQ(judge->calls(), 1);
}

TEST_F(Cache, NamesALineThatIsNone) {
  { CachedJudge(echo(), folder_.path()).complete(question("a"), {}); }
  const std::string whole = read_text(log());
  write_text(log(), whole + "{\"text\": \"x\"}\n");
  EXPECT_EQ(message_of([&] { CachedJudge(echo(), folder_.path()); }),
            log().string() +
                " line 2: is no line of a judge's answers; remove the line, or the whole cache");
  std::string broken = whole;  // its ends are right, its middle is not
  broken[broken.find("text")] = '"';
  write_text(log(), broken);
  CachedJudge cached(echo(), folder_.path());
  EXPECT_THAT(message_of([&] { cached.complete(question("a"), {}); }), HasSubstr(" line 1"));
}

TEST_F(Cache, IsOneProcessesAlone) {
  const CachedJudge first(echo(), folder_.path());
  EXPECT_EQ(message_of([&] { CachedJudge(echo(), folder_.path()); }),
            log().string() +
                ": another process is writing to it; wait for it, or give each its own folder");
}

TEST_F(Cache, ThreadsShareOneAnswer) {
  std::atomic<int> number = 0;
  const auto judge =
      std::make_shared<ScriptedJudge>([&](const JudgeRequest&) -> Outcome<std::string> {
        return std::to_string(number++);  // as a judge with a temperature
      });
  CachedJudge cached(judge, folder_.path());
  std::vector<std::vector<std::string>> seen(8);
  {
    std::vector<std::jthread> threads;
    for (std::vector<std::string>& mine : seen) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i)
          mine.push_back(text(cached.complete(question(std::to_string(i)), {})));
      });
    }
  }
  for (const std::vector<std::string>& mine : seen) EXPECT_EQ(mine, seen[0]);
}

// kill -9 at any moment: every answer that was given out is there, and no line is half.
TEST_F(Cache, SurvivesAKill) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    CachedJudge cached(echo(), folder_.path());
    for (int i = 0;; ++i) {
      cached.complete(question(std::to_string(i) + std::string(5000, 'x')), {});
      if (::write(pipe[1], &i, sizeof(i)) != sizeof(i)) _exit(1);
    }
  }
  int last = 0;
  while (last < 100) ASSERT_EQ(::read(pipe[0], &last, sizeof(last)), ssize_t{sizeof(last)});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[1]);
  while (::read(pipe[0], &last, sizeof(last)) == ssize_t{sizeof(last)}) {
  }
  ::close(pipe[0]);
  const auto judge = echo();
  CachedJudge cached(judge, folder_.path());
  for (int i = 0; i <= last; ++i) {
    const std::string user = std::to_string(i) + std::string(5000, 'x');
    EXPECT_EQ(text(cached.complete(question(user), {})), "to " + user);
  }
  EXPECT_EQ(judge->calls(), 0);
}

}  // namespace
}  // namespace tarsier
