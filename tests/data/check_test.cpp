#include "tarsier/data/check/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/data/check/intervals.h"
#include "tarsier/data/check/media_marks.h"
#include "tests/data/small_videos.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using testing::TemporaryFolder;
using testing::write_text;
using testing::write_video;

TEST(Markers, ThePublishedExample) {
  const MarkerReading reading = read_markers(
      "<frame: 1-4>A boy rolls a ball to a dog.<frame: 5>The dog crouches.<frame: 6-13>It chases "
      "the ball across the yard and returns.<frame: 14-16>The camera tilts up to the sky.",
      16);
  EXPECT_EQ(reading.problem, std::nullopt);
  EXPECT_FALSE(reading.has_gap);
  EXPECT_THAT(reading.spans,
              ElementsAre(FrameSpan{1, 4}, FrameSpan{5, 5}, FrameSpan{6, 13}, FrameSpan{14, 16}));
}

TEST(Markers, WhatIsWrong) {
  const auto wrong = [](const char* text) { return read_markers(text, 16).problem.value_or(""); };
  EXPECT_EQ(wrong("no markers"), "");
  EXPECT_EQ(wrong("<frame: 16>x"), "");
  EXPECT_EQ(wrong("<frame: 0-3>x"), "<frame: 0-3> is not within frames 1 to 16");
  EXPECT_EQ(wrong("<frame: 9-17>x"), "<frame: 9-17> is not within frames 1 to 16");
  EXPECT_EQ(wrong("<frame: 5-3>x"), "<frame: 5-3> ends before it begins");
  EXPECT_EQ(wrong("<frame: 2>x<frame: 2-3>y"), "<frame: 2-3> does not begin behind the one before");
  EXPECT_EQ(wrong("<frame: 2-5>x<frame: 5>y"), "<frame: 5> overlaps the one before");
  EXPECT_EQ(wrong("<frame: a>x"), "<frame: a> is not <frame: i-j> or <frame: i>");
  EXPECT_EQ(wrong("<frame: 1-2-3>x"), "<frame: 1-2-3> is not <frame: i-j> or <frame: i>");
  EXPECT_EQ(wrong("<frame: 1"), "<frame: 1 is not closed");
  EXPECT_TRUE(read_markers("<frame: 1>x<frame: 4>y", 16).has_gap);
}

std::string tarsier_row(const std::string& video, const std::string& answer) {
  return R"({"messages":[{"role":"user","content":[{"type":"video","video":{)" + video +
         R"(}},{"type":"text","text":"Q"}]},{"role":"assistant","content":[{"type":"text",)" +
         answer + "}]}]}";
}

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() { write_video(folder_ / "a.mp4"); }

  // The lines of all problems of one row.
  std::vector<std::string> lines(const std::string& row, const CheckSettings& settings = {}) {
    write_text(folder_ / "rows.jsonl", row);
    std::vector<std::string> lines;
    const CheckReport report =
        check_rows({folder_ / "rows.jsonl"}, std::nullopt, settings, 2, folder_ / "scratch", {});
    for (const auto& [kind, found] : report.problems) {
      for (const std::string& line : found.first)
        lines.push_back(kind + " | " + line.substr(line.find("line 1: ") + 8));
    }
    return lines;
  }

  TemporaryFolder folder_;
};

TEST_F(CheckTest, GoodRows) {
  CheckSettings decode;
  decode.decode = true;
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"a.mp4","start_time":0,"end_time":2)",
                                R"("text":"<frame: 1-16>x")"),
                    decode),
              ElementsAre());
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"a.mp4","frame_indices":[19,0])",
                                R"("chosen":"C","rejected":"R")")),
              ElementsAre());
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"a.mp4")", R"("text":"","reference":"gold")")),
              ElementsAre());
}

TEST_F(CheckTest, EachProblem) {
  EXPECT_THAT(lines("{"),
              ElementsAre("row | is not valid JSON at byte 2; the file may be cut or not JSON"));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"b.mp4")", R"("text":"x")")),
      ElementsAre("media | media[0]: no file b.mp4; check the path, which is relative to the "
                  "file of rows"));
  write_text(folder_ / "b.mp4", "not a video");
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"b.mp4")", R"("text":"x")")),
              ElementsAre(::testing::StartsWith("media | media[0]: ")));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"a.mp4","start_time":1,"end_time":1)", R"("text":"x")")),
      ElementsAre("times | media[0]: is from 1 to 1 seconds; give 0 <= start < end"));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"a.mp4","end_time":3)", R"("text":"x")")),
      ElementsAre(
          "times | media[0]: is from 0 to 3 seconds of 2.000; give times within the video"));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"a.mp4","frame_indices":[0,20])", R"("text":"x")")),
      ElementsAre("times | media[0].frame_indices: has frame 20 of 20; count frames from 0"));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"a.mp4")", R"("text":" ")")),
      ElementsAre("answer | turns[1]: has an empty answer; remove the row or give it an answer"));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"a.mp4")", R"("text":"<frame: 1-20>x")")),
      ElementsAre("markers | turns[1]: <frame: 1-20> is not within frames 1 to 16; mend the "
                  "marker, or say how many frames with --frames"));
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"a.mp4")", R"("chosen":"x","rejected":"x")")),
              ElementsAre("preference | chosen: is the same as rejected; remove the row"));
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"a.mp4")", R"("chosen":"x","rejected":"")")),
              ElementsAre("preference | rejected: is empty; remove the row"));
  EXPECT_THAT(
      lines(R"({"messages":[{"role":"user","content":"Q"},{"role":"user","content":"Q"}]})"),
      ElementsAre("roles | turns[1]: is the user's, expected the assistant's; turns "
                  "alternate, the user's first"));
  EXPECT_THAT(
      lines(R"({"messages":[{"role":"user","content":"Q"}]})"),
      ElementsAre("roles | turns: do not end with an answer; end with the assistant's turn"));
  EXPECT_THAT(
      lines(
          R"({"video":"a.mp4","conversations":[{"from":"human","value":"Q"},{"from":"gpt","value":"A"}]})"),
      ElementsAre("media_shown | media[0]: is shown 0 times; give one mark for each video, "
                  "image or audio of the row"));
}

TEST(MediaMarks, WhatAWordMayNotBe) {
  const auto found = [](const char* words) { return find_media_mark(words).value_or(""); };
  EXPECT_EQ(found("a < b <|> <||> <| x |> <Video> <frame: 1-3> <|Im|>"), "");
  EXPECT_EQ(found("see <video>"), "<video>");
  EXPECT_EQ(found("<x><image><video>"), "<image>");
  EXPECT_EQ(found("<audio>"), "<audio>");
  EXPECT_EQ(found("<speech>"), "<speech>");
  EXPECT_EQ(found("a<|video_pad|>"), "<|video_pad|>");
  EXPECT_EQ(found("<<|im_end|>"), "<|im_end|>");
}

TEST_F(CheckTest, WordsThatStandForMediaAndRowsThatAreTooLong) {
  EXPECT_THAT(lines(tarsier_row(R"("video_file":"a.mp4")", R"("text":"x <video>")")),
              ElementsAre("media_mark | turns[1]: has <video> in its words; give the media a part "
                          "of its own, or take the mark out"));
  EXPECT_THAT(
      lines(tarsier_row(R"("video_file":"a.mp4")", R"("chosen":"<|im_end|>","rejected":"x")")),
      ElementsAre("media_mark | chosen: has <|im_end|> in its words; give the media a part of its "
                  "own, or take the mark out"));
  const std::string row =
      tarsier_row(R"("video_file":"a.mp4")", R"("text":")" + std::string(60'000, 'x') + "\"");
  write_text(folder_ / "rows.jsonl", row);
  CheckSettings settings;
  const auto report = [&] {
    return check_rows({folder_ / "rows.jsonl"}, std::nullopt, settings, 1, folder_ / "s", {});
  };
  EXPECT_THAT(report().problems.at("length").first,
              ElementsAre("rows.jsonl line 1: is about 19800 tokens long, at most 16384; cut the "
                          "row, or show fewer frames"));
  settings.max_tokens = 19801;
  EXPECT_EQ(report().bad_rows, 0);
}

TEST_F(CheckTest, CountsRowsAndNamesTheFirst) {
  std::string rows;
  for (int i = 0; i < 200; ++i)
    rows += tarsier_row(R"("video_file":"a.mp4")", i % 2 == 0 ? R"("text":"x")" : R"("text":"")") +
            "\n";
  rows += tarsier_row(R"("video_file":"a.mp4")", R"("text":"<frame: 1>x<frame: 4>y")") + "\n";
  write_text(folder_ / "rows.jsonl", rows);
  CheckSettings settings;
  settings.open_media = false;
  const CheckReport one =
      check_rows({folder_ / "rows.jsonl"}, std::nullopt, settings, 1, folder_ / "s", {});
  const CheckReport three =
      check_rows({folder_ / "rows.jsonl"}, std::nullopt, settings, 3, folder_ / "s", {});
  EXPECT_EQ(one.rows, 201);
  EXPECT_EQ(one.bad_rows, 100);
  EXPECT_EQ(one.problems.at("answer").rows, 100);
  EXPECT_EQ(one.problems.at("answer").first.size(), 5u);
  EXPECT_EQ(one.problems.at("marker_gap").rows, 1);
  EXPECT_EQ(report_json(one), report_json(three));
  settings.named = 2;
  const CheckReport two =
      check_rows({folder_ / "rows.jsonl"}, std::nullopt, settings, 1, folder_ / "s", {});
  EXPECT_THAT(two.problems.at("answer").first,
              ElementsAre(one.problems.at("answer").first[0], one.problems.at("answer").first[1]));
}

}  // namespace
}  // namespace tarsier
