#include "tarsier/judge/caption_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/judge/autodq_table.h"

namespace tarsier {
namespace {

using testing::ElementsAre;

CaptionSample parse(const std::string& row) {
  return parse_caption_sample(parse_json(row, "rows.jsonl line 1", JsonOwner::input));
}

std::string row(const std::string& part,
                const std::string& more = R"(, "dataset": "D", "idx": 3)") {
  return R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "Describe."}]},
             {"role": "assistant", "content": [)" +
         part + "]}]" + more + "}";
}

TEST(CaptionSample, ReadsAPrediction) {
  const CaptionSample sample =
      parse(row(R"({"type": "text", "text": "told", "reference": "true"})",
                R"(, "dataset": "DREAM/youtube", "idx": 801, "extra_info": {"events": ["a"],
                   "n_subjects": 2, "n_shots": null, "n_events": 1, "duration": 5.1})"));
  EXPECT_EQ(sample.key(), "DREAM/youtube_801");
  EXPECT_EQ(sample.prediction, "told");
  EXPECT_EQ(sample.reference, "true");
  EXPECT_THAT(sample.events.value(), ElementsAre("a"));
  EXPECT_EQ(sample.n_subjects, 2);
  EXPECT_EQ(sample.n_shots, std::nullopt);
  EXPECT_TRUE(sample.was_generated());
  const CaptionSample plain = parse(row(R"({"type": "text", "text": "<error>", "reference": ""})"));
  EXPECT_FALSE(plain.events);
  EXPECT_FALSE(plain.was_generated());
  EXPECT_EQ(plain.key(), "D_3");
}

TEST(CaptionSample, NamesWhatIsMissing) {
  const std::string whole = R"({"type": "text", "text": "t", "reference": "r"})";
  for (const std::string& text :
       {row(R"({"type": "text", "text": "t"})"), row(R"({"type": "text", "reference": "r"})"),
        row(R"({"type": "text", "text": null, "reference": "r"})"), row(""),
        row(whole + "," + whole), row(whole, R"(, "idx": 3)"), row(whole, R"(, "dataset": "D")"),
        row(whole, R"(, "dataset": "D", "idx": 3.5)"),
        row(whole, R"(, "dataset": "D", "idx": 3, "extra_info": {"events": "a"})"),
        row(whole, R"(, "dataset": "D", "idx": 3, "extra_info": {"n_shots": -1})"),
        std::string(R"({"messages": [], "dataset": "D", "idx": 3})"),
        std::string(R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "t",
            "reference": "r"}]}], "dataset": "D", "idx": 3})")}) {
    try {
      parse(text);
      ADD_FAILURE() << text;
    } catch (const InputError& error) {
      EXPECT_TRUE(error.note.where.starts_with("rows.jsonl line 1: ")) << error.what();
    }
  }
}

// The public annotations, evaluation.md 2.3.
TEST(CaptionSample, ReadsDream1k) {
  const char* folder = std::getenv("TARSIER_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "TARSIER_TEST_DATA is not set";
  std::ifstream stream(std::filesystem::path(folder) / "DREAM-1k.jsonl");
  ASSERT_TRUE(stream);
  std::set<std::string> keys;
  std::map<std::string, std::int64_t> of_source, events_of_source;
  std::array<std::int64_t, 11> histogram{};
  std::map<std::string, std::array<std::int64_t, 4>> columns;
  std::int64_t events = 0, line = 0;
  for (std::string text; std::getline(stream, text);) {
    const CaptionSample sample = parse_caption_sample(
        parse_json(text, "DREAM-1k.jsonl line " + std::to_string(++line), JsonOwner::input));
    EXPECT_EQ(sample.prediction, "");
    EXPECT_FALSE(sample.reference.empty());
    keys.insert(sample.key());
    const auto count = static_cast<std::int64_t>(sample.events.value().size());
    EXPECT_EQ(sample.n_events, count);
    events += count;
    ++histogram.at(static_cast<std::size_t>(count));
    ++of_source[sample.source];
    events_of_source[sample.source] += count;
    ++columns["subjects"].at(complexity_column("subjects", sample.n_subjects.value()));
    ++columns["shots"].at(complexity_column("shots", sample.n_shots.value()));
    ++columns["events"].at(complexity_column("events", count));
  }
  EXPECT_EQ(line, 1000);
  EXPECT_EQ(keys.size(), 1000u);
  EXPECT_EQ(events, 6298);
  EXPECT_THAT(histogram, ElementsAre(4, 5, 31, 74, 127, 160, 143, 121, 135, 84, 116));
  EXPECT_THAT(
      of_source,
      ElementsAre(std::pair("DREAM/movie_animation", 200),
                  std::pair("DREAM/movie_live_action", 200), std::pair("DREAM/vertical_video", 200),
                  std::pair("DREAM/videvo", 200), std::pair("DREAM/youtube", 200)));
  EXPECT_NEAR(static_cast<double>(events_of_source["DREAM/vertical_video"]) / 200, 7.53, 0.005);
  EXPECT_THAT(columns["subjects"], ElementsAre(318, 337, 220, 125));
  EXPECT_THAT(columns["shots"], ElementsAre(586, 195, 101, 118));
  EXPECT_THAT(columns["events"], ElementsAre(114, 287, 264, 335));
}

}  // namespace
}  // namespace tarsier
