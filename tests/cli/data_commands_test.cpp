// The commands over rows of training data, from outside: words, counts and exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_tarsier.h"
#include "tests/data/small_videos.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using testing::read_text;
using testing::write_text;
using testing::write_video;
namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string row(const std::string& video, const std::string& answer) {
  return R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":")" +
         video +
         R"("}},{"type":"text","text":"What?"}]},{"role":"assistant","content":[{"type":"text","text":")" +
         answer + "\"}]}]}\n";
}

class DataCommands : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }

  void expect_refusal(std::vector<std::string> arguments, int exit_code, const std::string& line) {
    arguments.insert(arguments.begin(), "data");
    const ProgramResult result = run_tarsier(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << line;
    EXPECT_EQ(result.err, line + "\n");
    EXPECT_EQ(result.out, "");
  }

  ScratchFolder scratch_;
};

TEST_F(DataCommands, HelpOfEach) {
  for (const char* name :
       {"check", "convert", "corrupt", "filter", "mix", "pairs", "selfsup", "shard"}) {
    const ProgramResult result = run_tarsier({"data", name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    expect_golden(std::string("help-data-") + name, result.out);
  }
}

TEST_F(DataCommands, RefuseWhatCannotBe) {
  const std::string rows = at("rows.jsonl"), out = at("out");
  write_text(rows, row("a.mp4", "x"));
  for (const char* name : {"check", "convert", "filter", "selfsup", "shard"})
    expect_refusal({name, "--out", out}, 2,
                   name == std::string("check")
                       ? "--out: not an option of `tarsier data check`; see `tarsier data check "
                         "--help`"
                       : std::string("--in: missing; see `tarsier data ") + name + " --help`");
  expect_refusal({"check", "--in", "none.jsonl"}, 5, "--in: no file none.jsonl; check the path");
  expect_refusal({"check", "--in", rows, "--from", "coco"}, 2,
                 "--from: 'coco' is not a format of rows; use tarsier, llava, salmonn2, "
                 "salmonn2plus or trl");
  expect_refusal({"convert", "--in", rows, "--out", out}, 2,
                 "--to: missing; see `tarsier data convert --help`");
  expect_refusal({"convert", "--in", rows, "--to", "coco", "--out", out}, 2,
                 "--to: 'coco' is not a format of rows; use tarsier, llava, salmonn2, salmonn2plus "
                 "or trl");
  expect_refusal({"filter", "--in", rows, "--out", out}, 2,
                 "data filter: no rule is given; name one, as --min-words 5 or --commentary");
  expect_refusal({"filter", "--in", rows, "--script", "runes", "--out", out}, 2,
                 "--script: 'runes' is not a script; use latin, han, kana, hangul, cyrillic, "
                 "arabic or devanagari");
  expect_refusal({"filter", "--in", rows, "--min-words", "9", "--max-words", "3", "--out", out}, 2,
                 "--min-words: is 9, above the 3 of its other end; swap the two");
  expect_refusal({"selfsup", "--in", rows, "--tasks", "order,nap", "--out", out}, 2,
                 "--tasks: 'nap' is not a task; use order, reversal or matching");
  expect_refusal({"selfsup", "--in", rows, "--min-frames", "30", "--out", out}, 2,
                 "--min-frames: is 30, above the 24 of its other end; swap the two");
  expect_refusal({"mix", "--source", rows + "=heavy", "--out", out}, 2,
                 "--source: 'heavy' is not a weight; give FILE=NUMBER");
  expect_refusal({"mix", "--source", rows + "=0", "--out", out}, 2,
                 "--source: has the weight 0; give a positive number");
  expect_refusal({"mix", "--source", "none.jsonl=2", "--out", out}, 5,
                 "--source: no file none.jsonl; check the path");
  write_text(at("a.tar"), "");
  expect_refusal({"mix", "--source", at("a.tar"), "--out", out}, 2,
                 "--source: " + at("a.tar") +
                     " is a tar; unpack it with `tarsier data convert` "
                     "first");
  expect_refusal({"shard", "--in", rows, "--name", "a/b", "--out", out}, 2,
                 "--name: 'a/b' is not the beginning of a file's name; give letters and digits");
  expect_refusal({"shard", "--in", rows, "--size", "0", "--out", out}, 2,
                 "--size: 0 is not a size of shards; give some, as 1GiB");
}

TEST_F(DataCommands, OneFolderHoldsOneJob) {
  write_text(at("rows.jsonl"),
             R"({"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]})");
  const std::vector<std::string> command = {"data", "convert", "--in",  at("rows.jsonl"),
                                            "--to", "trl",     "--out", at("out")};
  ASSERT_EQ(run_tarsier(command).exit_code, 0);
  EXPECT_EQ(run_tarsier(command).out, at("out/rows.jsonl") + "\n") << "done once is done";
  expect_refusal({"convert", "--in", at("rows.jsonl"), "--to", "llava", "--out", at("out")}, 2,
                 "--out: " + at("out") +
                     " holds the output of other settings or inputs; use "
                     "another folder, or remove this one");
  expect_refusal({"convert", "--in", at("rows.jsonl"), "--to", "llava", "--out", at("")}, 2,
                 "--out: " + at("") + " holds other files; use a folder that is new or empty");
  write_text(at("file"), "");
  const ProgramResult result = run_tarsier(
      {"data", "convert", "--in", at("rows.jsonl"), "--to", "trl", "--out", at("file/out")});
  EXPECT_EQ(result.exit_code, 6);
}

TEST_F(DataCommands, CheckCountsWhatIsWrongAndNamesWhere) {
  write_video(at("a.mp4"));
  fs::copy_file(at("a.mp4"), at("cut.mp4"));
  fs::resize_file(at("cut.mp4"), fs::file_size(at("cut.mp4")) / 2);
  write_text(
      at("rows.jsonl"),
      row("a.mp4", "fine") + row("missing.mp4", "x") + row("cut.mp4", "x") +
          row("a.mp4", std::string(60'000, 'x')) + row("a.mp4", "") +
          R"({"messages":[{"role":"assistant","content":"A"},{"role":"user","content":"Q"}]})" +
          "\n" + row("a.mp4", "see <|video_pad|>") + "nonsense\n");
  const ProgramResult text = run_tarsier({"data", "check", "--in", at("rows.jsonl")});
  EXPECT_EQ(text.exit_code, 3) << text.err;
  EXPECT_EQ(text.err, "");
  for (const char* line :
       {"8 rows, 7 bad\n", "answer: 1 row\n  rows.jsonl line 5: turns[1]: has an empty answer; ",
        "length: 1 row\n  rows.jsonl line 4: is about 19801 tokens long, at most 16384; ",
        "media: 2 rows\n  rows.jsonl line 2: media[0]: no file missing.mp4; ",
        "\n  rows.jsonl line 3: media[0]: ",
        "media_mark: 1 row\n  rows.jsonl line 7: turns[1]: has <|video_pad|> in its words; ",
        "roles: 1 row\n  rows.jsonl line 6: turns[0]: is the assistant's, expected the user's; ",
        "row: 1 row\n  rows.jsonl line 8: is not valid JSON"})
    EXPECT_THAT(text.out, HasSubstr(line));
  const ProgramResult json =
      run_tarsier({"data", "check", "--in", at("rows.jsonl"), "--json", "--first", "1"});
  EXPECT_EQ(json.exit_code, 3);
  const Json report = Json::parse(json.out);
  EXPECT_EQ(report.at("rows"), 8);
  EXPECT_EQ(report.at("bad_rows"), 7);
  EXPECT_EQ(report.at("problems").at("media").at("rows"), 2);
  EXPECT_EQ(report.at("problems").at("media").at("first").size(), 1u);
  const ProgramResult longer =
      run_tarsier({"data", "check", "--in", at("rows.jsonl"), "--max-tokens", "20000"});
  EXPECT_THAT(longer.out, HasSubstr("8 rows, 6 bad\n"));
  const ProgramResult unopened =
      run_tarsier({"data", "check", "--in", at("rows.jsonl"), "--no-media"});
  EXPECT_THAT(unopened.out, HasSubstr("8 rows, 6 bad\n")) << "the cut video is there";
  write_text(at("good.jsonl"), row("a.mp4", "fine"));
  const ProgramResult good = run_tarsier({"data", "check", "--in", at("good.jsonl"), "--decode"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.out, "1 rows, 0 bad\n");
  EXPECT_EQ(
      run_tarsier({"data", "check", "--in", at("good.jsonl"), "--decode", "--no-media"}).exit_code,
      2);
  write_text(at("cut.json"), "[" + row("a.mp4", "fine"));
  expect_refusal({"check", "--in", at("cut.json")}, 5,
                 "cut.json line 2: ends inside its list; the file may be cut");
}

TEST_F(DataCommands, FilterCountsWhatItDropsAndWhy) {
  write_video(at("a.mp4"));
  write_text(at("rows.jsonl"), row("a.mp4", "one two three") + row("a.mp4", "one") +
                                   row("a.mp4", "one two three") + row("none.mp4", "one two"));
  const std::vector<std::string> command = {
      "data", "filter",           "--in",  at("rows.jsonl"), "--min-words",
      "2",    "--duplicate-text", "--out", at("kept"),       "--workers",
      "1"};
  const ProgramResult text = run_tarsier(command);
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_EQ(text.out, at("kept/rows.jsonl") + "\n");
  const std::string failure =
      "rows.jsonl line 4: no file none.mp4; check the path, which is relative to the file of rows";
  EXPECT_EQ(text.err, "warning: " + failure +
                          "\nfilter: 4 rows: 1 kept, 2 dropped, 1 failed; 1 written\n"
                          "dropped for duplicate_text: 1\ndropped for words_low: 1\n"
                          "each with its reason: " +
                          at("kept/dropped.jsonl") + "\n");
  std::vector<std::string> again = command;
  again.emplace_back("--json");
  const ProgramResult json = run_tarsier(again);
  EXPECT_EQ(json.exit_code, 3) << "also when it was done before";
  const Json report = Json::parse(json.out);
  EXPECT_EQ(report.at("dropped"), (Json{{"duplicate_text", 1}, {"words_low", 1}}));
  EXPECT_EQ(report.at("failures"), Json::array({failure}));
  EXPECT_EQ(report.at("out"), at("kept/rows.jsonl"));
  expect_refusal({"filter", "--in", at("rows.jsonl"), "--min-words", "2", "--max-failures", "0",
                  "-q", "--out", at("strict")},
                 5,
                 "warning: " + failure +
                     "\n--max-failures: 1 rows failed, at most 0 may; mend them, or allow more, "
                     "and run the same command again");
  write_video(at("none.mp4"));
  const ProgramResult mended =
      run_tarsier({"data", "filter", "--in", at("rows.jsonl"), "--min-words", "2", "--max-failures",
                   "0", "--out", at("strict")});
  EXPECT_EQ(mended.exit_code, 0) << mended.err;
}

TEST_F(DataCommands, ConvertNamesWhatAShapeCannotHold) {
  write_text(
      at("rows.jsonl"),
      R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4","n_frames":8}}]},{"role":"assistant","content":"A"}]})");
  const ProgramResult result = run_tarsier(
      {"data", "convert", "--in", at("rows.jsonl"), "--to", "llava", "--out", at("out"), "--json"});
  EXPECT_EQ(result.exit_code, 3);
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("written"), 0);
  EXPECT_THAT(report.at("failures").at(0).get<std::string>(), HasSubstr("rows.jsonl line 1: "));
}

TEST_F(DataCommands, MixSelfsupAndShardSayWhatTheyWrote) {
  write_video(at("a.mp4"), {.scenes = {1}});
  write_video(at("b.mp4"), {.scenes = {2}});
  write_text(at("a.jsonl"), row("a.mp4", "x") + row("b.mp4", "y"));
  write_text(at("b.jsonl"), row("b.mp4", "z"));
  const ProgramResult mix =
      run_tarsier({"data", "mix", "--source", at("a.jsonl") + "=1", "--source",
                   at("b.jsonl") + "=3", "--rows", "8", "--out", at("mixed"), "--json"});
  ASSERT_EQ(mix.exit_code, 0) << mix.err;
  EXPECT_EQ(Json::parse(mix.out).at("sources").at(1).at("drawn"), 6);
  EXPECT_EQ(mix.err, "mix: 8 rows written, 0 failed\n" + at("a.jsonl") +
                         ": 2 of 2 rows, 1.00 times through\n" + at("b.jsonl") +
                         ": 6 of 1 rows, 6.00 times through\n");
  const ProgramResult tasks = run_tarsier({"data", "selfsup", "--in", at("a.jsonl"), "--tasks",
                                           "order,reversal", "--out", at("tasks"), "--json"});
  ASSERT_EQ(tasks.exit_code, 0) << tasks.err;
  EXPECT_EQ(Json::parse(tasks.out).at("written"), 4);
  EXPECT_EQ(run_tarsier({"data", "check", "--in", at("tasks/rows.jsonl"), "--decode"}).exit_code,
            0);
  const ProgramResult shards = run_tarsier({"data", "shard", "--in", at("mixed/rows.jsonl"),
                                            "--size", "20kB", "--out", at("shards"), "--json"});
  ASSERT_EQ(shards.exit_code, 0) << shards.err;
  const Json report = Json::parse(shards.out);
  EXPECT_EQ(report.at("written"), 8);
  EXPECT_GT(report.at("shards"), 1);
  EXPECT_EQ(report.at("out"), at("shards/index.json"));
  EXPECT_THAT(shards.err, HasSubstr("shard: 8 rows: 8 written in "));
  EXPECT_EQ(
      run_tarsier({"data", "check", "--in", at("shards/shard-{000000..000001}.tar")}).exit_code, 0);
}

TEST_F(DataCommands, SynthWritesTextsOfTheKindsAskedFor) {
  const ProgramResult result = run_tarsier(
      {"data", "synth", "--level", "easy", "--clips", "1", "--rows", "web,commentary,questions",
       "--languages", "english,spanish", "--wrong", "1", "--drift", "5", "--out", at("clips")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, at("clips/rows.jsonl") + "\n");
  std::ifstream stream(at("clips/rows.jsonl"));
  std::vector<Json> rows;
  for (std::string line; std::getline(stream, line);) rows.push_back(Json::parse(line));
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[0].at("id"), "000000-web-en");
  EXPECT_EQ(rows[0].at("extra_info").at("flaws").size(), 1u);
  EXPECT_EQ(rows[5].at("id"), "000000-questions-es");
  EXPECT_TRUE(fs::exists(at("clips/clips.jsonl")));
  EXPECT_EQ(run_tarsier({"data", "check", "--in", at("clips/rows.jsonl")}).exit_code, 0);
  expect_refusal({"synth", "--rows", "prose", "--out", at("x")}, 2,
                 "--rows: 'prose' is not a kind of text; use dense, intervals, brief, web, "
                 "commentary, flawed or questions");
  expect_refusal({"synth", "--rows", "web", "--languages", "latin", "--out", at("x")}, 2,
                 "language: no language is named 'latin'; use english, chinese or spanish");
  expect_refusal(
      {"synth", "--drift", "2", "--out", at("x")}, 2,
      "--rows: missing: --languages, --wrong, --drift, --omit and --invent are about its "
      "texts; name the kinds of text, as --rows web");
}

}  // namespace
}  // namespace tarsier
