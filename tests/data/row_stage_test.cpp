// Stages as a whole: what they write, and that stops and workers change nothing.
#include "tarsier/data/stages/row_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;
namespace fs = std::filesystem;

std::string rows(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += R"({"idx":)" + std::to_string(i) +
            R"(,"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A)" +
            std::to_string(i % 7) + "\"}]}\n";
  return text;
}

// Keeps the first row of each answer; the fifth kind of answer fails.
RowStage first_of_each(std::atomic<int>* examined = nullptr, std::stop_source* stop = nullptr,
                       int stop_after = 0) {
  RowStage stage;
  stage.examine = [=](const Row& row) {
    if (examined != nullptr && ++*examined == stop_after) stop->request_stop();
    const std::string answer = answer_text(row.record);
    if (answer == "A5") throw InputError({row.record.where, "is an A5", "say something else"});
    return nlohmann::json(answer).dump();
  };
  auto seen = std::make_shared<std::set<std::string>>();
  stage.decide = [seen](Row& row, const std::string& facts) -> Decision {
    if (!seen->insert(facts).second) return Dropped{"seen", facts};
    return std::vector{row.record};
  };
  return stage;
}

StageJob job(const fs::path& input, const fs::path& out, int workers = 1) {
  StageJob job;
  job.name = "test";
  job.inputs = {input};
  job.out = out;
  job.workers = workers;
  return job;
}

class RowStageTest : public ::testing::Test {
 protected:
  RowStageTest() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~RowStageTest() override { set_log_sink({}); }

  void expect_same(const std::string& a, const std::string& b) const {
    for (const char* name : {"rows.jsonl", "dropped.jsonl", "report.json", "settings.json"})
      EXPECT_EQ(read_text(folder_ / a / name), read_text(folder_ / b / name)) << name;
    EXPECT_FALSE(fs::exists(folder_ / a / "progress.jsonl"));
  }

  TemporaryFolder folder_;
};

TEST_F(RowStageTest, KeepsDropsAndFails) {
  write_text(folder_ / "rows.jsonl", rows(14) + "nonsense\n{\"messages\":3}\n");
  const StageReport report =
      run_row_stage(job(folder_ / "rows.jsonl", folder_ / "out"), first_of_each(), {});
  EXPECT_EQ(report.rows, 16);
  EXPECT_EQ(report.kept, 6);
  EXPECT_EQ(report.dropped.at("seen"), 6);
  EXPECT_EQ(report.failed, 4);
  ASSERT_EQ(report.failures.size(), 4u);
  EXPECT_EQ(report.failures[0], "rows.jsonl line 6: is an A5; say something else");
  EXPECT_EQ(report.failures[2],
            "rows.jsonl line 15: is not valid JSON at byte 2; the file may be cut or not JSON");
  EXPECT_EQ(report.failures[3],
            "rows.jsonl line 16: messages: is not a list; give a list of turns");
  const std::string dropped = read_text(folder_ / "out" / "dropped.jsonl");
  EXPECT_THAT(
      dropped,
      HasSubstr(
          R"({"where":"rows.jsonl line 8","reason":"seen","detail":"\"A0\"","row":{"idx":7,)"));
  EXPECT_THAT(dropped, HasSubstr(R"("text":"nonsense"})"));
  EXPECT_EQ(std::count(dropped.begin(), dropped.end(), '\n'), 10);
}

TEST_F(RowStageTest, WorkersChangeNothing) {
  write_text(folder_ / "rows.jsonl", rows(300) + "nonsense\n");
  run_row_stage(job(folder_ / "rows.jsonl", folder_ / "one"), first_of_each(), {});
  run_row_stage(job(folder_ / "rows.jsonl", folder_ / "four", 4), first_of_each(), {});
  expect_same("four", "one");
}

TEST_F(RowStageTest, GoesOnAfterAStopAndEndsTheSame) {
  write_text(folder_ / "rows.jsonl", rows(300) + "nonsense\n");
  run_row_stage(job(folder_ / "rows.jsonl", folder_ / "whole"), first_of_each(), {});
  for (const int workers : {1, 3}) {
    const std::string name = "stopped" + std::to_string(workers);
    std::stop_source stop;
    std::atomic<int> examined = 0;
    const StageJob stopped = job(folder_ / "rows.jsonl", folder_ / name, workers);
    const StageReport first =
        run_row_stage(stopped, first_of_each(&examined, &stop, 100), stop.get_token());
    EXPECT_TRUE(first.stopped);
    EXPECT_GE(first.rows, 100 - workers);
    EXPECT_FALSE(fs::exists(folder_ / name / "rows.jsonl"));
    examined = 0;
    const StageReport second = run_row_stage(stopped, first_of_each(&examined), {});
    EXPECT_FALSE(second.stopped);
    EXPECT_EQ(second.rows, 301);
    EXPECT_EQ(examined, 300 - first.rows + first.failed)
        << "what was examined is not examined again, but for what failed";
    expect_same(name, "whole");
  }
}

TEST_F(RowStageTest, GivesUpAtTooManyFailuresAndTriesThemAgain) {
  write_text(folder_ / "rows.jsonl", rows(40));  // five of them fail
  StageJob strict = job(folder_ / "rows.jsonl", folder_ / "out");
  strict.max_failures = 2;
  try {
    run_row_stage(strict, first_of_each(), {});
    ADD_FAILURE() << "three rows failed";
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.text(),
              "--max-failures: 3 rows failed, at most 2 may; mend them, or allow more, and run the "
              "same command again");
  }
  EXPECT_FALSE(fs::exists(folder_ / "out" / "rows.jsonl"));
  const auto mended = [] {  // each with a memory of its own
    RowStage stage = first_of_each();
    stage.examine = [](const Row& row) { return nlohmann::json(answer_text(row.record)).dump(); };
    return stage;
  };
  EXPECT_EQ(run_row_stage(strict, mended(), {}).failed, 0);
  run_row_stage(job(folder_ / "rows.jsonl", folder_ / "whole"), mended(), {});
  expect_same("out", "whole");
}

TEST_F(RowStageTest, ALineCutByAKillIsDoneAgain) {
  write_text(folder_ / "rows.jsonl", rows(40));
  run_row_stage(job(folder_ / "rows.jsonl", folder_ / "whole"), first_of_each(), {});
  std::stop_source stop;
  std::atomic<int> examined = 0;
  const StageJob killed = job(folder_ / "rows.jsonl", folder_ / "killed");
  run_row_stage(killed, first_of_each(&examined, &stop, 20), stop.get_token());
  const fs::path log = folder_ / "killed" / "progress.jsonl";
  fs::resize_file(log, fs::file_size(log) - 2);
  write_text(folder_ / "killed" / "rows.jsonl.tmp-abc123", "half a fi");
  run_row_stage(killed, first_of_each(), {});
  expect_same("killed", "whole");
  EXPECT_FALSE(fs::exists(folder_ / "killed" / "rows.jsonl.tmp-abc123"));
}

TEST_F(RowStageTest, AFinishedJobIsNotRunAgainAndAnotherIsRefused) {
  write_text(folder_ / "rows.jsonl", rows(20));
  const StageJob done = job(folder_ / "rows.jsonl", folder_ / "out");
  const StageReport first = run_row_stage(done, first_of_each(), {});
  std::atomic<int> examined = 0;
  const StageReport again = run_row_stage(done, first_of_each(&examined), {});
  EXPECT_EQ(examined, 0);
  EXPECT_EQ(report_json("test", again), report_json("test", first));
  StageJob other = done;
  other.settings = R"({"x":1})";
  EXPECT_THROW(run_row_stage(other, first_of_each(), {}), ConfigError);
  write_text(folder_ / "rows.jsonl", rows(21));  // the input changed
  EXPECT_THROW(run_row_stage(done, first_of_each(), {}), ConfigError);
  write_text(folder_ / "mine.txt", "x");
  EXPECT_THROW(run_row_stage(job(folder_ / "rows.jsonl", folder_.path()), first_of_each(), {}),
               ConfigError);
}

TEST_F(RowStageTest, AnErrorOfOursEndsTheRun) {
  write_text(folder_ / "rows.jsonl", rows(40));
  RowStage broken = first_of_each();
  broken.examine = [](const Row&) -> std::string { throw ResourceError({"disk", "full", ""}); };
  EXPECT_THROW(run_row_stage(job(folder_ / "rows.jsonl", folder_ / "out", 3), broken, {}),
               ResourceError);
  EXPECT_FALSE(fs::exists(folder_ / "out" / "rows.jsonl"));
}

TEST_F(RowStageTest, MediaPathsAreRelativeToTheOutput) {
  fs::create_directories(folder_ / "in");
  write_text(
      folder_ / "in" / "rows.jsonl",
      R"({"video":"v/a.mp4","conversations":[{"from":"human","value":"<video>\nQ"},{"from":"gpt","value":"A"}]})");
  RowStage keep;
  keep.decide = [](Row& row, const std::string&) { return std::vector{row.record}; };
  run_row_stage(job(folder_ / "in" / "rows.jsonl", folder_ / "out"), keep, {});
  EXPECT_THAT(read_text(folder_ / "out" / "rows.jsonl"), HasSubstr(R"("video":"../in/v/a.mp4")"));
}

}  // namespace
}  // namespace tarsier
