// From rows to preferences through the program: corruptions, answers, pairs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

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

class DataPairs : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }

  ProgramResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "data");
    return run_tarsier(arguments);
  }

  void expect_refusal(const std::vector<std::string>& arguments, const std::string& line) const {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << line;
    EXPECT_EQ(result.err, line + "\n");
    EXPECT_EQ(result.out, "");
  }

  std::vector<Json> rows_of(const std::string& file) const {
    std::vector<Json> rows;
    std::stringstream lines(read_text(at(file)));
    for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
    return rows;
  }

  // `answers` to each corruption of a row and to the intact video, as a sampler would add them.
  static void add_samples(Json& row, int good, int bad) {
    row["sampling"] = {
        {"model", "5e1f"}, {"temperature", 0.7}, {"top_p", 0.7}, {"max_new_tokens", 512}};
    const auto add = [&](const std::string& text, Json corruption, int recall) {
      row["samples"].push_back({{"text", text},
                                {"seed", 17},
                                {"finish", "stop"},
                                {"corruption", std::move(corruption)},
                                {"score",
                                 {{"recall", {recall, 10}},
                                  {"precision", {1, 2}},
                                  {"judge", "exact"},
                                  {"prompt_hash", ""}}}});
    };
    add("A full account of it.", nullptr, good);
    for (std::size_t i = 0; i < row.at("corruptions").size(); ++i)
      add("Account " + std::to_string(i), i, bad);
  }

  ScratchFolder scratch_;
};

std::string row(const std::string& video, const std::string& question) {
  return R"({"video":")" + video + R"(","conversations":[{"from":"human","value":"<image>\n)" +
         question + R"("},{"from":"gpt","value":"The truth."}]})" + "\n";
}

TEST_F(DataPairs, RefuseWhatCannotBe) {
  const std::string rows = at("rows.jsonl"), out = at("out");
  write_text(rows, row("a.mp4", "x"));
  expect_refusal({"corrupt", "--out", out}, "--in: missing; see `tarsier data corrupt --help`");
  expect_refusal({"corrupt", "--in", rows, "--kinds", "crop,melt", "--out", out},
                 "--kinds: 'melt' is not a corruption; use exchange, reverse, crop or discard");
  expect_refusal({"corrupt", "--in", rows, "--crop-keep", "half", "--out", out},
                 "--crop-keep: 'half' is not a decimal number; give one as 0.3, with at most 9 "
                 "digits behind the point");
  for (const char* share : {"0.24", "1", "1.5"})
    expect_refusal(
        {"corrupt", "--in", rows, "--crop-keep", share, "--out", out},
        "--crop-keep: is " + std::string(share) + "; give a share from 0.25 on and below 1");
  EXPECT_EQ(run({"corrupt", "--in", rows, "--frames", "3", "--out", out}).exit_code, 2);
  EXPECT_EQ(run({"corrupt", "--in", rows, "--per-row", "0", "--out", out}).exit_code, 2);
  expect_refusal({"pairs", "--out", out}, "--in: missing; see `tarsier data pairs --help`");
  expect_refusal({"pairs", "--in", rows, "--rule", "taste", "--out", out},
                 "--rule: 'taste' is not a rule; use autodq or error");
  expect_refusal({"pairs", "--in", rows, "--source", "web", "--out", out},
                 "--source: 'web' is not a source of rejected answers; use corrupted or intact");
  expect_refusal({"pairs", "--in", rows, "--delta", "-0.3", "--out", out},
                 "--delta: '-0.3' is not a decimal number; give one as 0.3, with at most 9 digits "
                 "behind the point");
  const std::string without_effect =
      ": has no effect with this --rule, or beside --no-filter; leave it out: --delta is of "
      "autodq, --min-gap of error";
  expect_refusal({"pairs", "--in", rows, "--min-gap", "0.1", "--out", out},
                 "--min-gap" + without_effect);
  expect_refusal({"pairs", "--in", rows, "--rule", "error", "--delta", "0.1", "--out", out},
                 "--delta" + without_effect);
  expect_refusal({"pairs", "--in", rows, "--no-filter", "--delta", "0.1", "--out", out},
                 "--delta" + without_effect);
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(DataPairs, FromRowsToPreferences) {
  write_video(at("a.mp4"));
  write_text(at("rows.jsonl"), row("a.mp4", "What?") + row("a.mp4", "Who?") + row("a.mp4", "Why?"));
  const ProgramResult corrupted =
      run({"corrupt", "--in", at("rows.jsonl"), "--per-row", "2", "--frames", "8", "--crop-keep",
           "0.75", "--seed", "3", "--to", "tarsier", "--out", at("corrupted")});
  ASSERT_EQ(corrupted.exit_code, 0) << corrupted.err;
  EXPECT_EQ(corrupted.err, "corrupt: 3 rows: 3 kept, 0 dropped, 0 failed; 3 written\n");
  EXPECT_EQ(run({"check", "--in", at("corrupted/rows.jsonl"), "--decode"}).exit_code, 0);
  std::vector<Json> rows = rows_of("corrupted/rows.jsonl");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].at("corrupted_from").size(), 8u);
  EXPECT_EQ(rows[0].at("corruptions").size(), 2u);
  add_samples(rows[0], 9, 6);  // a gain of exactly 0.3
  add_samples(rows[1], 9, 7);
  add_samples(rows[2], 9, 2);
  std::string scored;
  for (const Json& json : rows) scored += json.dump() + "\n";
  fs::create_directories(at("scored"));
  write_text(at("scored/rows.jsonl"), scored);
  const std::vector<std::string> command = {"pairs",        "--in",  at("scored/rows.jsonl"),
                                            "--per-row",    "2",     "--to",
                                            "salmonn2plus", "--out", at("pairs")};
  const ProgramResult pairs = run(command);
  ASSERT_EQ(pairs.exit_code, 0) << pairs.err;
  EXPECT_EQ(pairs.out, at("pairs/rows.jsonl") + "\n");
  EXPECT_EQ(
      pairs.err,
      "pairs: 3 rows: 2 kept, 1 dropped, 0 failed; 4 written\n"
      "dropped for below_delta: 1\n"
      "words, chosen minus rejected: mean 3 in 4 pairs, 3 in 6 candidates; 4 from 0\n"
      "recall, chosen minus rejected: mean 0.5 in 4 pairs, 0.4 in 6 candidates; 2 from 0.3, 2 "
      "from 0.7\n"
      "precision, chosen minus rejected: mean 0 in 4 pairs, 0 in 6 candidates; 4 from 0\n"
      "each with its reason: " +
          at("pairs/dropped.jsonl") + "\n");
  const std::vector<Json> written = rows_of("pairs/rows.jsonl");
  ASSERT_EQ(written.size(), 4u);
  EXPECT_EQ(written[0].at("conversations").at(1), (Json{{"from", "gpt"}, {"value", "The truth."}}));
  EXPECT_EQ(written[0].at("pair").at("gain"), (Json{3, 10}));
  EXPECT_EQ(run({"check", "--in", at("pairs/rows.jsonl")}).exit_code, 0);

  std::vector<std::string> again = command;
  again.emplace_back("--json");
  const Json report = Json::parse(run(again).out);
  EXPECT_EQ(report.at("summary").at("kept"), 4);
  EXPECT_EQ(report.at("summary").at("faults"), (Json{{"below_delta", 2}}));
  Json stored = Json::parse(read_text(at("pairs/report.json")));
  EXPECT_EQ(report.at("summary"), stored.at("summary"));

  const ProgramResult unfiltered =
      run({"pairs", "--in", at("scored/rows.jsonl"), "--no-filter", "--out", at("all"), "--json"});
  ASSERT_EQ(unfiltered.exit_code, 0) << unfiltered.err;
  EXPECT_EQ(Json::parse(unfiltered.out).at("written"), 3);
  const ProgramResult intact = run({"pairs", "--in", at("scored/rows.jsonl"), "--source", "intact",
                                    "--out", at("intact"), "--json"});
  ASSERT_EQ(intact.exit_code, 0) << intact.err;
  EXPECT_EQ(Json::parse(intact.out).at("dropped"), (Json{{"no_samples", 3}}));
}

}  // namespace
}  // namespace tarsier
