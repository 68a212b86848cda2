#include "tarsier/data/selfsup/selfsup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tarsier/base/log.h"
#include "tarsier/data/check/check.h"
#include "tests/data/small_videos.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;
using testing::write_video;

const SourceVideo kVideo{"a.mp4", 10, 50};

std::vector<std::int64_t> numbers_in(const std::string& lines) {
  std::vector<std::int64_t> numbers;
  std::stringstream stream(lines);
  for (std::int64_t number = 0; stream >> number;) numbers.push_back(number);
  return numbers;
}

TEST(FrameOrder, PromptAndAnswerGiveTheTrueOrder) {
  std::set<std::size_t> counts;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Record row = frame_order_row(kVideo, {}, seed);
    const std::vector<std::int64_t>& shown = row.media[0].frame_indices;
    const std::size_t count = shown.size(), told = 3 * count / 8;
    counts.insert(count);
    ASSERT_GE(count, 8u);
    ASSERT_LE(count, 24u);
    const std::string prompt = text_of(row.turns[0]);
    const std::size_t begin = prompt.find(":\n") + 2;
    std::vector<std::int64_t> places =
        numbers_in(prompt.substr(begin, prompt.find("\nGive") - begin));
    ASSERT_EQ(places.size(), told);
    for (const std::int64_t place : numbers_in(text_of(row.turns[1]))) places.push_back(place);
    ASSERT_EQ(places.size(), count);
    std::vector<std::int64_t> ordered(count);
    for (std::size_t i = 0; i < count; ++i)
      ordered[static_cast<std::size_t>(places[i] - 1)] = shown[i];
    EXPECT_TRUE(std::is_sorted(ordered.begin(), ordered.end()));
    EXPECT_EQ(ordered.front(), 10);
    EXPECT_EQ(ordered.back(), 59);
  }
  EXPECT_GT(counts.size(), 8u);
  EXPECT_EQ(frame_order_row(kVideo, {}, 5).media[0].frame_indices,
            frame_order_row(kVideo, {}, 5).media[0].frame_indices);
}

TEST(Reversal, TheAnswerIsTheDirection) {
  int backwards = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Record row = reversal_row(kVideo, {}, seed);
    const auto& shown = row.media[0].frame_indices;
    const bool descends = shown.front() > shown.back();
    EXPECT_EQ(text_of(row.turns[1]), descends ? "Yes." : "No.");
    backwards += descends ? 1 : 0;
  }
  EXPECT_GT(backwards, 30);
  EXPECT_LT(backwards, 70);
}

TEST(Matching, TheAnswerIsTheSecondHalf) {
  std::set<std::string> answers;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Record row = matching_row(kVideo, {{"b.mp4", 0, 30}, {"c.mp4", 5, 20}}, {}, seed);
    ASSERT_EQ(row.media.size(), 4u);
    EXPECT_EQ(row.media[0].files[0], "a.mp4");
    EXPECT_LT(row.media[0].frame_indices.back(), 35);
    const std::string answer = text_of(row.turns[1]);
    const Media& match = row.media[static_cast<std::size_t>(std::stoi(answer))];
    EXPECT_EQ(match.files[0], "a.mp4");
    EXPECT_GE(match.frame_indices.front(), 35);
    answers.insert(answer);
  }
  EXPECT_EQ(answers.size(), 3u);
}

TEST(SelfSupervised, RowsOfVideosPassTheCheck) {
  set_log_sink([](LogLevel, std::string_view) {});
  const TemporaryFolder folder;
  std::string rows;
  for (std::uint64_t scene = 1; scene <= 4; ++scene) {
    const std::string name = "v" + std::to_string(scene) + ".mp4";
    write_video(folder / name, {.scenes = {scene}});
    for (int repeat = 0; repeat < 2; ++repeat)
      rows +=
          R"({"video":")" + name +
          R"(","conversations":[{"from":"human","value":"<video>\nQ"},{"from":"gpt","value":"A"}]})" +
          "\n";
  }
  write_video(folder / "short.mp4", {.seconds = 0.5});
  rows +=
      R"({"video":"short.mp4","conversations":[{"from":"human","value":"<video>\nQ"},{"from":"gpt","value":"A"}]})"
      "\n{\"messages\":[{\"role\":\"user\",\"content\":\"no video\"}]}\n";
  write_text(folder / "rows.jsonl", rows);
  StageJob job;
  job.name = "selfsup";
  job.inputs = {folder / "rows.jsonl"};
  job.to = RowFormat::tarsier;
  for (const int workers : {1, 3}) {
    job.out = folder / ("out" + std::to_string(workers));
    job.workers = workers;
    const StageReport report = run_row_stage(job, make_self_supervised_stage({}), {});
    EXPECT_EQ(report.kept, 4);
    EXPECT_EQ(report.written, 2 * 4 + 2) << "the first two videos have too few others to match";
    const std::map<std::string, std::int64_t> dropped = {
        {"no_video", 1}, {"same_video", 4}, {"short", 1}};
    EXPECT_EQ(report.dropped, dropped);
  }
  set_log_sink({});
  EXPECT_EQ(read_text(folder / "out1" / "rows.jsonl"), read_text(folder / "out3" / "rows.jsonl"));
  CheckSettings settings;
  settings.decode = true;
  const CheckReport report = check_rows({folder / "out1" / "rows.jsonl"}, std::nullopt, settings, 1,
                                        folder / "scratch", {});
  EXPECT_EQ(report.rows, 10);
  EXPECT_EQ(report.bad_rows, 0) << report_json(report);
}

}  // namespace
}  // namespace tarsier
