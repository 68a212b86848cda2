// The stage that makes preferences of sampled answers: rows, shapes, report, stops.
#include "tarsier/data/pairs/pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/data/check/check.h"
#include "tarsier/data/pairs/pair_histograms.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;
namespace fs = std::filesystem;
using Json = nlohmann::json;

// An answer with `recall` of ten events told, all of it right.
Json sample(const std::string& text, int recall, bool corrupted) {
  Json json{{"text", text},
            {"seed", 17},
            {"finish", "stop"},
            {"corruption", nullptr},
            {"score",
             {{"recall", {recall, 10}},
              {"precision", {1, 1}},
              {"missed", 10 - recall},
              {"incorrect", 0},
              {"hallucinated", 0},
              {"events", 10},
              {"judge", "exact"},
              {"prompt_hash", "ab"}}}};
  if (corrupted) json["corruption"] = 0;
  return json;
}

Json row(std::vector<Json> samples, const std::string& truth = "The truth.") {
  Json json = Json::parse(R"({"id":7,"video":"a.mp4","corrupted_from":[0,1,2,3],
      "corruptions":[{"kind":"reverse","frames":[3,2,1,0]}],
      "sampling":{"model":"5e1f","temperature":0.7,"top_p":0.7,"max_new_tokens":512},
      "conversations":[{"from":"human","value":"<image>\nWhat?"}]})");
  if (!truth.empty()) json["conversations"].push_back({{"from", "gpt"}, {"value", truth}});
  json["samples"] = std::move(samples);
  return json;
}

// 60 rows of many gains, some without a pair, one malformed.
std::string many_rows() {
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    std::string words = "good " + std::to_string(i);
    for (int k = 0; k < i % 7; ++k) words += " more words";
    rows += row({sample(words, 10 - i % 4, false), sample("bad", i % 9, true)}).dump() + "\n";
    if (i == 30) rows += row({Json{{"text", "x"}}}).dump() + "\n";
  }
  return rows;
}

class PairStage : public ::testing::Test {
 protected:
  PairStage() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~PairStage() override { set_log_sink({}); }

  StageJob job(const std::string& rows, const std::string& out,
               const PairSettings& settings = {}) const {
    write_text(folder_ / (out + ".jsonl"), rows);
    StageJob job;
    job.name = "pairs";
    job.inputs = {folder_ / (out + ".jsonl")};
    job.out = folder_ / out;
    job.settings = settings.json();
    return job;
  }

  std::vector<Json> written(const std::string& out) const {
    std::vector<Json> rows;
    std::stringstream lines(read_text(folder_ / out / "rows.jsonl"));
    for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
    return rows;
  }

  TemporaryFolder folder_;
};

TEST_F(PairStage, ARowForEachPair) {
  PairSettings settings;
  settings.per_row = 2;
  StageJob two = job(row({sample("a", 9, false), sample("b", 8, false), sample("x", 1, true),
                          sample("y", 2, true)})
                         .dump(),
                     "out", settings);
  two.to = RowFormat::tarsier;
  const StageReport report = run_row_stage(two, make_pair_stage(settings), {});
  EXPECT_EQ(report.kept, 1);
  EXPECT_EQ(report.written, 2);
  const auto rows = written("out");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("messages").at(1).at("content").at(0),
            Json::parse(R"({"type":"text","text":"The truth.","chosen":"a","rejected":"x"})"));
  EXPECT_EQ(rows[1].at("messages").at(1).at("content").at(0).at("chosen"), "b");
  EXPECT_EQ(rows[0].at("messages").at(0).at("content").at(0).at("video").at("video_file"),
            "../a.mp4");
  const Json score = sample("a", 9, false).at("score");
  EXPECT_EQ(rows[0].at("pair"),
            (Json{{"chosen", {{"seed", 17}, {"finish", "stop"}, {"score", score}}},
                  {"rejected",
                   {{"seed", 17},
                    {"finish", "stop"},
                    {"corruption", {{"kind", "reverse"}, {"frames", {3, 2, 1, 0}}}},
                    {"score", sample("x", 1, true).at("score")}}},
                  {"sampling", row({}).at("sampling")},
                  {"source", "corrupted"},
                  {"filter", true},
                  {"rule", "autodq"},
                  {"gain", {4, 5}}}));
  for (const char* key : {"samples", "corruptions", "sampling"})
    EXPECT_FALSE(rows[0].contains(key)) << key;
  EXPECT_EQ(rows[0].at("id"), 7);
  EXPECT_EQ(rows[0].at("corrupted_from"), (Json{0, 1, 2, 3}));
}

TEST_F(PairStage, EveryShapeHoldsAPair) {
  const Json input = row({sample("a", 9, false), sample("x", 1, true)});
  for (const RowFormat shape : {RowFormat::tarsier, RowFormat::llava, RowFormat::salmonn2,
                                RowFormat::salmonn2plus, RowFormat::trl}) {
    const std::string name(name_of(shape));
    StageJob to = job(input.dump(), name);
    to.to = shape;
    const StageReport report = run_row_stage(to, make_pair_stage({}), {});
    ASSERT_EQ(report.written, 1) << report_json("pairs", report);
    const std::string text = read_text(folder_ / name / "rows.jsonl");
    const JsonView view = parse_json(text, "row", JsonOwner::input);
    EXPECT_EQ(detect_format(view), shape);
    const Record back = parse_record(view, shape);
    EXPECT_EQ(back.preference, (Preference{"a", "x"})) << text;
    EXPECT_EQ(text_of(back.turns.back()), "The truth.") << text;
    EXPECT_EQ(Json::parse(back.extra.at("pair")).at("gain"), (Json{4, 5}));
    EXPECT_EQ(Json::parse(text).at("pair").at("rejected").at("corruption").at("kind"), "reverse");
    CheckSettings settings;
    settings.look_for_media = settings.open_media = false;
    const CheckReport checked = check_rows({folder_ / name / "rows.jsonl"}, std::nullopt, settings,
                                           1, folder_ / (name + "-scratch"), {});
    EXPECT_EQ(checked.bad_rows, 0) << report_json(checked);
  }
}

TEST_F(PairStage, ARowWithoutATruth) {
  const std::string input = row({sample("a", 9, false), sample("x", 1, true)}, "").dump();
  for (const RowFormat shape :
       {RowFormat::tarsier, RowFormat::llava, RowFormat::salmonn2, RowFormat::trl}) {
    const std::string name(name_of(shape));
    StageJob to = job(input, name);
    to.to = shape;
    ASSERT_EQ(run_row_stage(to, make_pair_stage({}), {}).written, 1) << name;
    const Record back = parse_record(
        parse_json(read_text(folder_ / name / "rows.jsonl"), "row", JsonOwner::input), shape);
    EXPECT_EQ(back.preference, (Preference{"a", "x"}));
    EXPECT_EQ(text_of(back.turns.back()), "");
  }
  StageJob plus = job(input, "plus");
  plus.to = RowFormat::salmonn2plus;
  const StageReport report = run_row_stage(plus, make_pair_stage({}), {});
  EXPECT_THAT(
      report.failures,
      ElementsAre("plus.jsonl line 1: has no ground truth, which salmonn2plus rows carry in "
                  "their gpt turn; add it, or convert to salmonn2 or trl"));
  const Json summary = Json::parse(report.summary);
  EXPECT_EQ(summary.at("candidates"), 1);
  EXPECT_EQ(summary.at("kept"), 0) << "a pair that is not written is not kept";
}

TEST_F(PairStage, DropsAndFails) {
  Json pair = row({});
  pair["pair"] = 1;
  Json preference =
      Json::parse(R"({"video":"a.mp4","prompt":"Q","chosen":"C","rejected":"J","samples":[]})");
  Json no_keys = row({});
  no_keys.erase("samples");
  const StageReport report = run_row_stage(
      job(row({sample("a", 5, false), sample("x", 4, true)}).dump() + "\n" +
              row({sample("a", 5, false), sample("a ", 1, true)}).dump() + "\n" +
              row({sample("a", 5, false)}).dump() + "\n" + no_keys.dump() + "\n" + pair.dump() +
              "\n" + preference.dump() + "\n" + row({Json{{"text", "x"}}}).dump() + "\n",
          "out"),
      make_pair_stage({}), {});
  const std::map<std::string, std::int64_t> dropped = {
      {"below_delta", 1}, {"identical", 1}, {"no_samples", 2}};
  EXPECT_EQ(report.dropped, dropped);
  EXPECT_THAT(
      report.failures,
      ElementsAre("out.jsonl line 5: is a preference already; take the rows that the answers were "
                  "sampled for",
                  "out.jsonl line 6: is a preference already; take the rows that the answers were "
                  "sampled for",
                  HasSubstr("out.jsonl line 7: samples[0].seed: is missing")));
  EXPECT_EQ(Json::parse(report.summary).at("faults"), (Json{{"below_delta", 1}, {"identical", 1}}));
}

TEST_F(PairStage, WithoutScoresAndFilter) {
  PairSettings settings;
  settings.filter = false;
  Json good = sample("a", 1, false), bad = sample("x", 9, true);
  good.erase("score");
  bad.erase("score");
  run_row_stage(job(row({good, bad}).dump(), "out", settings), make_pair_stage(settings), {});
  const Json pair = written("out").at(0).at("pair");
  EXPECT_EQ(pair.at("rule"), "none");
  EXPECT_EQ(pair.at("filter"), false);
  EXPECT_FALSE(pair.contains("gain"));
  EXPECT_FALSE(pair.at("chosen").contains("score"));
}

TEST_F(PairStage, TheReportCountsDifferences) {
  const StageReport report =
      run_row_stage(job(row({sample("one two three", 9, false), sample("x", 1, true)}).dump() +
                            "\n" + row({sample("a", 5, false), sample("x y", 4, true)}).dump(),
                        "out"),
                    make_pair_stage({}), {});
  const Json summary = Json::parse(read_text(folder_ / "out" / "report.json")).at("summary");
  EXPECT_EQ(summary, Json::parse(report.summary));
  EXPECT_EQ(summary.at("candidates"), 2);
  EXPECT_EQ(summary.at("kept"), 1);
  const Json& words = summary.at("differences").at("words");
  EXPECT_EQ(words.at("candidates").at("mean"), 0.5);
  EXPECT_EQ(words.at("kept").at("mean"), 2);
  EXPECT_EQ(words.at("edges").size(), 21u);
  EXPECT_EQ(words.at("edges").at(10), 0);
  EXPECT_EQ(words.at("candidates").at("counts").at(10), 1) << "from -10 on, below 0";
  EXPECT_EQ(words.at("candidates").at("counts").at(11), 1) << "from 0 on";
  const Json& recall = summary.at("differences").at("recall");
  EXPECT_EQ(recall.at("kept").at("counts").at(19), 1) << "from 0.8 on";
  EXPECT_EQ(recall.at("edges").at(18), 0.8);
  EXPECT_EQ(recall.at("candidates").at("counts").at(12), 1) << "from 0.1 on";
  EXPECT_EQ(summary.at("differences").at("errors").at("kept").at("mean"), 0.8);
  EXPECT_THAT(histogram_lines(report.summary),
              ElementsAre("words, chosen minus rejected: mean 2 in 1 pairs, 0.5 in 2 candidates; "
                          "1 from 0",
                          "recall, chosen minus rejected: mean 0.8 in 1 pairs, 0.45 in 2 "
                          "candidates; 1 from 0.8",
                          "precision, chosen minus rejected: mean 0 in 1 pairs, 0 in 2 "
                          "candidates; 1 from 0",
                          "errors per event, rejected minus chosen: mean 0.8 in 1 pairs, 0.45 in 2 "
                          "candidates; 1 from 0.8"));
}

TEST(PairHistogram, EdgesAreExactAndTheEndsOpen) {
  PairHistograms histograms;
  const auto add = [&](std::int64_t words, const Fraction& errors) {
    PairDifferences pair;
    pair.words = words;
    pair.errors = errors;
    histograms.add_candidates({&pair, 1}, {});
    histograms.add_kept(pair);
  };
  for (std::int64_t tenth = -10; tenth <= 10; ++tenth) add(10 * tenth, Fraction(tenth, 10));
  add(-101, Fraction(-3));
  add(500, Fraction(3));
  const Json json = Json::parse(histograms.json());
  for (const char* measure : {"words", "errors"}) {
    const std::vector<int> counts =
        json.at("differences").at(measure).at("kept").at("counts").get<std::vector<int>>();
    ASSERT_EQ(counts.size(), 22u);
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 1), 21) << measure;
    EXPECT_EQ(counts.back(), 2) << measure;
  }
  EXPECT_FALSE(json.at("differences").contains("recall")) << "nobody has it";
  EXPECT_THAT(histogram_lines(histograms.json()).at(0), HasSubstr("; 1 below -100, 1 from -100, "));
  EXPECT_TRUE(histogram_lines(PairHistograms().json()).empty());
}

TEST_F(PairStage, WorkersChangeNothing) {
  StageJob one = job(many_rows(), "one"), three = job(many_rows(), "one");
  three.out = folder_ / "three";
  three.workers = 3;
  run_row_stage(one, make_pair_stage({}), {});
  run_row_stage(three, make_pair_stage({}), {});
  for (const char* name : {"rows.jsonl", "dropped.jsonl", "report.json", "settings.json"})
    EXPECT_EQ(read_text(folder_ / "three" / name), read_text(folder_ / "one" / name)) << name;
}

TEST_F(PairStage, GoesOnAfterAStopWithTheSameCounts) {
  StageJob whole = job(many_rows(), "whole"), stopped = job(many_rows(), "whole");
  stopped.out = folder_ / "stopped";
  const StageReport first = run_row_stage(whole, make_pair_stage({}), {});
  EXPECT_EQ(first.failed, 1);
  EXPECT_GT(first.kept, 10);
  std::stop_source stop;
  RowStage stopping = make_pair_stage({});
  std::atomic<int> examined = 0;
  stopping.examine = [&](const Row&) {
    if (++examined == 25) stop.request_stop();
    return std::string();
  };
  EXPECT_TRUE(run_row_stage(stopped, stopping, stop.get_token()).stopped);
  EXPECT_FALSE(fs::exists(folder_ / "stopped" / "report.json"));
  const StageReport second = run_row_stage(stopped, make_pair_stage({}), {});
  EXPECT_FALSE(second.stopped);
  for (const char* name : {"rows.jsonl", "dropped.jsonl", "report.json", "settings.json"})
    EXPECT_EQ(read_text(folder_ / "stopped" / name), read_text(folder_ / "whole" / name)) << name;
  const StageReport again = run_row_stage(stopped, make_pair_stage({}), {});
  EXPECT_EQ(report_json("pairs", again), report_json("pairs", second)) << "a finished job";
  EXPECT_EQ(histogram_lines(again.summary), histogram_lines(second.summary));
}

}  // namespace
}  // namespace tarsier
