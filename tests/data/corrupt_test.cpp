// Corruptions of a video's frames: training.md 5.2, with its vectors of section 15.
#include "tarsier/data/corrupt/corrupt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tests/data/small_videos.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;
using testing::write_video;
using Json = nlohmann::json;
using Frames = std::vector<std::int64_t>;

// 0, step, 2 step, ...
Frames every(std::int64_t step, std::int64_t count) {
  Frames frames;
  for (std::int64_t i = 0; i < count; ++i) frames.push_back(step * i);
  return frames;
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Corruption, Exchange) {
  EXPECT_THAT(exchange_segments(every(6, 16), 0, 2),
              ElementsAre(48, 54, 60, 66, 24, 30, 36, 42, 0, 6, 12, 18, 72, 78, 84, 90));
  EXPECT_THAT(exchange_segments(every(1, 10), 1, 3), ElementsAre(0, 1, 2, 9, 6, 7, 8, 3, 4, 5));
  EXPECT_EQ(exchange_segments(every(6, 16), 2, 0), exchange_segments(every(6, 16), 0, 2));
}

TEST(Corruption, ExchangeHasFourSegmentsForEveryLength) {
  EXPECT_THAT(exchange_segments(every(1, 5), 0, 3), ElementsAre(4, 2, 3, 0, 1));
  EXPECT_THAT(exchange_segments(every(1, 6), 1, 3), ElementsAre(0, 1, 5, 4, 2, 3));
  EXPECT_THAT(exchange_segments(every(1, 9), 2, 3), ElementsAre(0, 1, 2, 3, 4, 7, 8, 5, 6));
  for (std::int64_t n = 4; n < 70; ++n) {
    const Frames frames = every(1, n);
    std::set<Frames> all;
    for (std::int64_t a = 0; a < 4; ++a) {
      for (std::int64_t b = a + 1; b < 4; ++b) {
        Frames exchanged = exchange_segments(frames, a, b);
        EXPECT_NE(exchanged, frames) << n;
        all.insert(exchanged);
        std::sort(exchanged.begin(), exchanged.end());
        EXPECT_EQ(exchanged, frames) << n;
      }
    }
    EXPECT_EQ(all.size(), 6u) << n;
  }
}

TEST(Corruption, Reverse) {
  EXPECT_THAT(reverse_run(every(6, 16), 3, 9),
              ElementsAre(0, 6, 12, 66, 60, 54, 48, 42, 36, 30, 24, 18, 72, 78, 84, 90));
  EXPECT_THAT(reverse_run(every(1, 3), 0, 3), ElementsAre(2, 1, 0));
}

TEST(Corruption, CropByTheReleasedCode) {
  const Fraction keep(3, 4);
  EXPECT_EQ(cropped_places(16, keep), 4);
  EXPECT_EQ(cropped_places(10, keep), 3);
  EXPECT_THAT(crop_frames(every(6, 16), 1, keep),
              ElementsAre(6, 10, 14, 19, 23, 28, 32, 36, 41, 45, 50, 54, 58, 63, 67, 72));
  EXPECT_THAT(crop_frames(every(6, 16), 0, keep),
              ElementsAre(0, 4, 8, 13, 17, 22, 26, 30, 35, 39, 44, 48, 52, 57, 61, 66));
  EXPECT_THAT(crop_frames(every(6, 16), 4, keep),
              ElementsAre(24, 28, 32, 37, 41, 46, 50, 54, 59, 63, 68, 72, 76, 81, 85, 90));
}

TEST(Corruption, CropByThePaper) {
  EXPECT_EQ(cropped_places(16, Fraction(1, 2)), 8);
  const Frames half = crop_frames(every(6, 16), 8, Fraction(1, 2));
  EXPECT_EQ(half.size(), 16u);
  EXPECT_EQ(half.front(), 48);
  EXPECT_EQ(half.back(), 90);
  // In doubles, 10 (1 - 0.7) is above 3.
  EXPECT_EQ(cropped_places(10, Fraction(7, 10)), 3);
  EXPECT_EQ(cropped_places(100, Fraction(29, 100)), 71);
  EXPECT_THAT(crop_frames(every(1, 4), 1, Fraction(1, 2)), ElementsAre(1, 1, 1, 2))
      << "a short part repeats frames";
}

TEST(Corruption, Discard) {
  const Frames places = {1, 2, 5, 7, 8, 11, 12, 14};
  EXPECT_THAT(keep_frames(every(6, 16), places), ElementsAre(6, 12, 30, 42, 48, 66, 72, 84));
}

TEST(Corruption, TooFewFrames) {
  const Frames one = {7}, three = {1, 2, 3};
  EXPECT_EQ(message_of([&] { exchange_segments(three, 0, 1); }),
            "exchange: needs 4 frames, has 3; use a longer video or more frames of it");
  EXPECT_EQ(message_of([&] { reverse_run(one, 0, 1); }),
            "reverse: needs 2 frames, has 1; use a longer video or more frames of it");
  Random random(1);
  EXPECT_EQ(message_of([&] {
              corrupt_frames(Corruption::discard, one, {1, 2}, random);
            }),
            "discard: needs 2 frames, has 1; use a longer video or more frames of it");
  EXPECT_EQ(corrupt_frames(Corruption::discard, three, {1, 2}, random).size(), 1u);
  EXPECT_EQ(message_of([&] { cropped_places(2, Fraction(1, 4)); }),
            "crop: keeps none of 2 frames with a share of 1/4; keep more, or use more frames");
}

TEST(Corruption, Names) {
  for (const Corruption kind : kCorruptions) EXPECT_EQ(corruption_named(name_of(kind)), kind);
  EXPECT_EQ(corruption_named("shuffle"), std::nullopt);
}

TEST(Corruption, DrawsAreWithinTheRuleAndReachItsEdges) {
  const Frames frames = every(1, 16);
  Random random({5});
  std::set<std::int64_t> lengths, starts, crops;
  for (int i = 0; i < 2000; ++i) {
    const Frames reversed = corrupt_frames(Corruption::reverse, frames, {1, 2}, random);
    const auto begin = std::mismatch(reversed.begin(), reversed.end(), frames.begin()).first;
    const auto end =
        std::mismatch(reversed.rbegin(), reversed.rend(), frames.rbegin()).first.base();
    lengths.insert(end - begin);  // an even run; of an odd one the middle frame stays
    const Frames cropped = corrupt_frames(Corruption::crop, frames, {1, 2}, random);
    crops.insert(cropped.front());
    EXPECT_EQ(cropped.back(), cropped.front() + 7);
    const Frames kept = corrupt_frames(Corruption::discard, frames, {1, 2}, random);
    EXPECT_EQ(kept.size(), 8u);
    EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
    EXPECT_EQ(std::adjacent_find(kept.begin(), kept.end()), kept.end());
    starts.insert(kept.front());
  }
  EXPECT_EQ(*lengths.begin(), 9) << "uniform over [8, 16) of frames, rounded up";
  EXPECT_EQ(*lengths.rbegin(), 16);
  EXPECT_EQ(crops.size(), 9u);
  EXPECT_GT(starts.size(), 4u);
}

TEST(Corruption, KindsAreEachAsLikelyAndComeOnceBeforeAnyAgain) {
  std::map<Corruption, int> counts;
  CorruptionSettings settings;
  for (std::uint64_t key = 0; key < 2000; ++key)
    ++counts[draw_corruptions(every(6, 16), settings, key).at(0).kind];
  ASSERT_EQ(counts.size(), 4u);
  for (const auto& [kind, count] : counts) {
    EXPECT_GT(count, 420) << name_of(kind);
    EXPECT_LT(count, 580) << name_of(kind);
  }
  settings.per_row = 6;
  const auto drawn = draw_corruptions(every(6, 16), settings, 9);
  std::set<Corruption> first;
  for (std::size_t i = 0; i < 4; ++i) first.insert(drawn[i].kind);
  EXPECT_EQ(first.size(), 4u);
  EXPECT_NE(drawn[4].kind, drawn[5].kind);
  settings.kinds = {Corruption::crop};
  for (const CorruptedFrames& item : draw_corruptions(every(6, 16), settings, 9))
    EXPECT_EQ(item.kind, Corruption::crop);
}

std::string row(const std::string& video, const std::string& question = "What?") {
  return R"({"messages":[{"role":"user","content":[{"type":"video","video":)" + video +
         R"(},{"type":"text","text":")" + question +
         R"("}]},{"role":"assistant","content":"A"}],"dataset":"d"})" + "\n";
}

class CorruptionStage : public ::testing::Test {
 protected:
  CorruptionStage() {
    set_log_sink([](LogLevel, std::string_view) {});
    write_video(folder_ / "a.mp4", {.seconds = 4});  // 40 frames
    write_video(folder_ / "short.mp4", {.seconds = 0.3});
  }
  ~CorruptionStage() override { set_log_sink({}); }

  StageReport run(const std::string& rows, const CorruptionSettings& settings = {},
                  const std::string& out = "out", int workers = 1) const {
    write_text(folder_ / (out + ".jsonl"), rows);
    StageJob job;
    job.name = "corrupt";
    job.inputs = {folder_ / (out + ".jsonl")};
    job.out = folder_ / out;
    job.settings = settings.json();
    job.workers = workers;
    return run_row_stage(job, make_corruption_stage(settings), {});
  }

  std::vector<Json> written(const std::string& out = "out") const {
    std::vector<Json> rows;
    std::stringstream lines(read_text(folder_ / out / "rows.jsonl"));
    for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
    return rows;
  }

  TemporaryFolder folder_;
};

constexpr char kVideo[] = R"({"video_file":"a.mp4"})";

TEST_F(CorruptionStage, RowsStayAsTheyAreAndGetTwoKeys) {
  CorruptionSettings settings;
  settings.per_row = 4;
  const StageReport report = run(row(kVideo), settings);
  EXPECT_EQ(report.written, 1);
  const Json after = written().at(0);
  Json without = after;
  without.erase("corruptions");
  without.erase("corrupted_from");
  Json before = Json::parse(row(R"({"video_file":"../a.mp4"})"));
  before["messages"][1]["content"] = {{{"type", "text"}, {"text", "A"}}};
  EXPECT_EQ(without, before);
  const Frames intact = after.at("corrupted_from");
  EXPECT_THAT(intact, ElementsAre(0, 3, 5, 8, 10, 13, 16, 18, 21, 23, 26, 29, 31, 34, 36, 39));
  std::set<std::string> kinds;
  for (const Json& item : after.at("corruptions")) {
    kinds.insert(item.at("kind"));
    const Frames frames = item.at("frames");
    EXPECT_NE(frames, intact);
    EXPECT_EQ(frames.size(), item.at("kind") == "discard" ? 8u : 16u);
  }
  EXPECT_EQ(kinds.size(), 4u);
}

TEST_F(CorruptionStage, WhichFramesARowMeans) {
  const StageReport report =
      run(row(R"({"video_file":"a.mp4","start_time":1,"end_time":2})") +
          row(R"({"video_file":"a.mp4","start_frame":4,"end_frame":9,"n_frames":4})") +
          row(R"({"video_file":"none.mp4","frame_indices":[3,9,9,30]})") +
          row(R"({"video_file":["1.png","2.png","3.png","4.png","5.png"]})") +
          row(R"({"video_file":"a.mp4","mask_boxes":[[0,0,4,4]]})"));
  EXPECT_EQ(report.kept, 5) << report_json("corrupt", report);
  const auto rows = written();
  EXPECT_EQ(rows[0].at("corrupted_from"), (Json{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
  EXPECT_EQ(rows[1].at("corrupted_from"), (Json{4, 6, 7, 9}));
  EXPECT_EQ(rows[2].at("corrupted_from"), (Json{3, 9, 9, 30}));
  EXPECT_EQ(rows[3].at("corrupted_from"), (Json{0, 1, 2, 3, 4}));
}

TEST_F(CorruptionStage, DropsWhatCannotBeCorrupted) {
  const StageReport report =
      run(R"({"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]})"
          "\n" +
          row(R"({"video_file":"short.mp4"})") +
          row(R"({"video_file":"a.mp4","frame_indices":[1,2,3]})") +
          row(R"({"video_file":"a.mp4","frame_indices":[4,3,2,1]})") +
          row(R"({"video_file":"a.mp4","fps":2})") +
          row(R"({"video_file":"a.mp4","time_indices":[0.5]})") +
          row(R"({"video_file":"a.mp4","min_n_frames":8})") +
          row(R"({"video_file":"a.mp4","mask_boxes":[[[0,0,4,4]],[]]})") +
          row(R"({"video_file":"a.mp4"}},{"type":"video","video":{"video_file":"a.mp4"})"));
  const std::map<std::string, std::int64_t> dropped = {{"no_video", 1},    {"short", 2},
                                                       {"frame_order", 1}, {"own_sampling", 3},
                                                       {"masks", 1},       {"several_videos", 1}};
  EXPECT_EQ(report.dropped, dropped);
  EXPECT_EQ(report.failed, 0) << report_json("corrupt", report);
  const std::string why = read_text(folder_ / "out" / "dropped.jsonl");
  for (const char* detail :
       {"shows no video", "3 frames, at least 4", "frame_indices do not ascend",
        "chooses its frames by fps", "chooses its frames by time_indices",
        "has masks of each frame, which would cover other frames", "shows 2, expected one"})
    EXPECT_THAT(why, HasSubstr(detail));
}

TEST_F(CorruptionStage, FailsWithTheRowsName) {
  const StageReport report =
      run(row(R"({"video_file":"none.mp4"})") +
          row(R"({"video_file":"a.mp4","start_frame":9,"end_frame":4})") +
          row(R"({"video_file":["1.png","2.png"],"start_time":1})") +
          row(R"({"video_file":"a.mp4","end_frame":40})") +
          row(R"({"video_file":"a.mp4","n_frames":0})") +
          row(R"({"video_file":"a.mp4","frame_indices":[-1,2,3,4]})") + R"({"corruptions":[],)" +
          row(kVideo).substr(1) + R"({"corrupted_from":[1],)" + row(kVideo).substr(1));
  EXPECT_EQ(report.failed, 8);
  ASSERT_EQ(report.failures.size(), 8u);
  EXPECT_THAT(report.failures[0], HasSubstr("out.jsonl line 1: "));
  EXPECT_THAT(report.failures[0], HasSubstr("none.mp4"));
  EXPECT_EQ(report.failures[1],
            "out.jsonl line 2: end_frame: lies before start_frame; give the later frame to "
            "end_frame; mend or remove the row");
  EXPECT_THAT(report.failures[2], HasSubstr("are given for a list of pictures"));
  EXPECT_THAT(report.failures[3], HasSubstr("end_frame: is 40, expected 0 to 39"));
  EXPECT_THAT(report.failures[4], HasSubstr("n_frames: is 0, expected 1 to "));
  EXPECT_EQ(report.failures[5],
            "out.jsonl line 6: frame_indices: has frame -1; count frames from 0");
  EXPECT_EQ(report.failures[6],
            "out.jsonl line 7: corruptions: is there already; remove it, or take the rows as they "
            "were before");
  EXPECT_THAT(report.failures[7], HasSubstr("line 8: corrupted_from: is there already"));
}

TEST_F(CorruptionStage, DrawsDependOnTheRowAndNotOnItsPlace) {
  std::vector<std::string> rows;
  for (int i = 0; i < 30; ++i) rows.push_back(row(kVideo, "Question " + std::to_string(i)));
  const auto joined = [&] { return std::accumulate(rows.begin(), rows.end(), std::string()); };
  run(joined(), {}, "one", 1);
  run(joined(), {}, "three", 3);
  EXPECT_EQ(read_text(folder_ / "one" / "rows.jsonl"), read_text(folder_ / "three" / "rows.jsonl"));
  std::reverse(rows.begin(), rows.end());
  run(joined(), {}, "turned");
  auto forwards = written("one");
  const auto backwards = written("turned");
  std::reverse(forwards.begin(), forwards.end());
  EXPECT_EQ(forwards, backwards);
  EXPECT_NE(backwards[0].at("corruptions"), backwards[1].at("corruptions"));
  CorruptionSettings other;
  other.seed = 2;
  run(joined(), other, "seeded");
  EXPECT_NE(written("seeded"), backwards);
}

TEST(CorruptionKeys, ComeBackAsTheyWere) {
  Record record;
  record.where = "rows.jsonl line 3";
  EXPECT_TRUE(parse_corruptions(record).corrupted.empty());
  write_corruptions(record, {{0, 2, 4, 6}, {{Corruption::reverse, {6, 4, 2, 0}}}});
  const RowCorruptions back = parse_corruptions(record);
  EXPECT_THAT(back.intact, ElementsAre(0, 2, 4, 6));
  ASSERT_EQ(back.corrupted.size(), 1u);
  EXPECT_EQ(back.corrupted[0].kind, Corruption::reverse);
  EXPECT_THAT(back.corrupted[0].frames, ElementsAre(6, 4, 2, 0));
}

TEST(CorruptionKeys, ErrorsNameRowAndKey) {
  const auto message = [](const char* key, const char* value) {
    Record record;
    record.where = "rows.jsonl line 3";
    record.extra[key] = value;
    return message_of([&] { parse_corruptions(record); });
  };
  EXPECT_EQ(message("corruptions", "5"),
            R"(rows.jsonl line 3: corruptions: is not a list; give [{"kind", "frames"}, ...])");
  EXPECT_EQ(message("corruptions", R"([{"kind":"melt","frames":[1]}])"),
            "rows.jsonl line 3: corruptions[0].kind: is 'melt'; use exchange, reverse, crop or "
            "discard");
  EXPECT_EQ(message("corruptions", R"([{"kind":"crop","frames":[]}])"),
            "rows.jsonl line 3: corruptions[0].frames: names no frame; give at least one");
  EXPECT_EQ(message("corruptions", R"([{"kind":"crop","frames":[-2]}])"),
            "rows.jsonl line 3: corruptions[0].frames: has frame -2; count frames from 0");
  EXPECT_EQ(message("corruptions", R"([{"kind":"crop","frames":[2],"why":1}])"),
            "rows.jsonl line 3: corruptions[0].why: is an unknown key; use kind, frames");
  EXPECT_THAT(message("corruptions", R"([{"kind":"crop"}])"),
              HasSubstr("rows.jsonl line 3: corruptions[0].frames: is missing"));
  EXPECT_THAT(message("corrupted_from", R"(["a"])"),
              HasSubstr("rows.jsonl line 3: corrupted_from[0]"));
}

}  // namespace
}  // namespace tarsier
