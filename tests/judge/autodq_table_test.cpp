// The worked examples of evaluation.md 2.4, and what the tables look like.
#include "tarsier/judge/autodq_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/judge/autodq_report.h"

namespace tarsier {
namespace {

using testing::HasSubstr;
using testing::Not;

HitCount hits_in(const std::vector<LabelledEvent>& events) {
  HitCount count;
  for (const LabelledEvent& event : events) {
    ++count.total;
    count.hits += event.label == EventLabel::entailment ? 1 : 0;
  }
  return count;
}

/// "een": entailment, entailment, neutral; "c": contradiction.
std::vector<LabelledEvent> labelled(const std::string& letters) {
  std::vector<LabelledEvent> events;
  for (const char c : letters)
    events.push_back({std::string("event ") + c, c == 'e'   ? EventLabel::entailment
                                                 : c == 'n' ? EventLabel::neutral
                                                            : EventLabel::contradiction});
  return events;
}

AutoDqItem item(const std::string& source, const std::string& of_reference,
                const std::string& of_prediction) {
  AutoDqScore score;
  score.reference_events = labelled(of_reference);
  score.predicted_events = labelled(of_prediction);
  score.recall = hits_in(score.reference_events);
  score.precision = hits_in(score.predicted_events);
  AutoDqItem made{{}, score};
  made.sample.source = source;
  made.sample.reference = "ref";
  made.sample.prediction = "hyp";
  return made;
}

AutoDqItem failed(const std::string& source) {
  AutoDqItem made{{}, ErrorNote{"judge", "gave no usable answer", ""}};
  made.sample.source = source;
  made.sample.idx = "7";
  return made;
}

std::vector<AutoDqItem> worked() {
  return {item("B", "eee", "een"),  item("A", "eenc", "ene"), failed("A"),
          item("A", "en", "eecne"), item("B", "", "e"),       item("B", "enn", "ee")};
}

void expect_row(const AutoDqRow& row, const std::string& task, double f1, double recall,
                double precision, std::int64_t success, std::int64_t failures) {
  EXPECT_EQ(row.task, task);
  EXPECT_NEAR(row.f1, f1, 5e-7) << task;
  EXPECT_NEAR(row.recall, recall, 5e-7) << task;
  EXPECT_NEAR(row.precision, precision, 5e-7) << task;
  EXPECT_EQ(row.success, success) << task;
  EXPECT_EQ(row.failed, failures) << task;
  EXPECT_FALSE(row.undefined);
}

TEST(AutoDqTable, WorkedExample) {
  const AutoDqTable table = autodq_table(worked());
  ASSERT_EQ(table.rows.size(), 3u);
  expect_row(table.rows[0], "A", .558824, .5, .633333, 2, 1);
  expect_row(table.rows[1], "B", .829630, .777778, .888889, 3, 0);
  expect_row(table.rows[2], "OVERALL", .694665, .638889, .761111, 5, 1);
  EXPECT_TRUE(table.complexity.empty());
}

// README values of Tarsier2-7B: one video a source, with these shares.
TEST(AutoDqTable, PaperScale) {
  const std::vector<std::int64_t> recalls = {412, 466, 401, 468, 339};
  const std::vector<std::int64_t> precisions = {384, 432, 476, 457, 364};
  std::vector<AutoDqItem> items;
  for (std::size_t i = 0; i < recalls.size(); ++i) {
    AutoDqScore score;
    score.recall = {recalls[i], 1000};
    score.precision = {precisions[i], 1000};
    items.push_back({{}, score});
    items.back().sample.source = std::to_string(i);
  }
  const AutoDqTable table = autodq_table(items);
  EXPECT_NEAR(table.rows.back().recall, .4172, 1e-12);
  EXPECT_NEAR(table.rows.back().precision, .4226, 1e-12);
  EXPECT_NEAR(table.rows.back().f1, .4199, 5e-5);
  EXPECT_THAT(autodq_text(table, {}), HasSubstr("OVERALL |    0.420 |         0.417 |            "
                                                "0.423 |       5 |      0\n"));
}

TEST(AutoDqTable, NothingToAverageIsSaidAndAveragedNowhere) {
  std::vector<AutoDqItem> items = {item("A", "e", "e"), failed("B"), item("C", "n", "c")};
  const AutoDqTable table = autodq_table(items);
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_TRUE(table.rows[1].undefined);
  EXPECT_EQ(table.rows[1].success, 0);
  EXPECT_TRUE(table.rows[2].undefined) << "0 / 0";
  EXPECT_EQ(table.rows[2].f1, 0);
  EXPECT_DOUBLE_EQ(table.rows[3].recall, 0.5) << "of A and C";
  EXPECT_FALSE(table.rows[3].undefined);
  EXPECT_EQ(table.rows[3].failed, 1);
  EXPECT_THAT(autodq_text(table, {}), HasSubstr("B       |        - |             - |"));
  EXPECT_TRUE(autodq_table({}).rows.at(0).undefined);
}

TEST(AutoDqTable, ComplexityPoolsSources) {
  std::vector<AutoDqItem> items = worked();
  const std::vector<std::int64_t> subjects = {0, 1, 1, 2, 9, 4};
  for (std::size_t i = 0; i < items.size(); ++i) items[i].sample.n_subjects = subjects[i];
  items[0].sample.n_events = 8;
  const AutoDqTable table = autodq_table(items);
  ASSERT_EQ(table.complexity.size(), 2u) << "no sample says how many shots it has";
  const ComplexityTable& by_subjects = table.complexity[0];
  EXPECT_EQ(by_subjects.name, "subjects");
  const auto& first = by_subjects.columns[0];  // B1 and A1; the failed one of A is not counted
  EXPECT_EQ(first.label, "<=1");
  EXPECT_EQ(first.means.success, 2);
  EXPECT_DOUBLE_EQ(first.means.recall, 0.75);
  EXPECT_DOUBLE_EQ(first.means.precision, (2.0 / 3 + 2.0 / 3) / 2);
  EXPECT_EQ(by_subjects.columns[2].means.success, 0);
  EXPECT_TRUE(by_subjects.columns[2].means.undefined);
  EXPECT_EQ(by_subjects.columns[3].means.success, 2);
  EXPECT_EQ(table.complexity[1].columns[3].means.success, 1);
  const std::string text = autodq_text(table, {});
  EXPECT_THAT(text, HasSubstr("\nsubjects  |   <=1 |     2 |     3 |   >=4\nRecall    | 0.750 |"));
  EXPECT_THAT(text, HasSubstr("\nCount     |     2 |     1 |     0 |     2\n"));
}

TEST(AutoDqTable, BordersOfColumns) {
  EXPECT_EQ(complexity_column("subjects", 0), 0u);
  EXPECT_EQ(complexity_column("shots", 1), 0u);
  EXPECT_EQ(complexity_column("shots", 4), 3u);
  EXPECT_EQ(complexity_column("events", 3), 0u);
  EXPECT_EQ(complexity_column("events", 4), 1u);
  EXPECT_EQ(complexity_column("events", 7), 2u);
  EXPECT_EQ(complexity_column("events", 8), 3u);
}

TEST(AutoDqReport, ScoresNeverStandAlone) {
  const auto json = nlohmann::json::parse(
      autodq_scores_json(worked(), {"judge-1 at x", {"autodq 1", "abc"}, "0.1", 2}));
  EXPECT_EQ(json.at("judge"), "judge-1 at x");
  EXPECT_EQ(json.at("prompt"), "autodq 1");
  EXPECT_EQ(json.at("prompt_sha256"), "abc");
  EXPECT_EQ(json.at("version"), "0.1");
  EXPECT_EQ(json.at("n_total"), 6);
  EXPECT_EQ(json.at("n_valid"), 5);
  EXPECT_EQ(json.at("n_failed"), 1);
  EXPECT_EQ(json.at("duplicates"), 2);
  EXPECT_EQ(json.at("failures"),
            nlohmann::json::parse(R"([{"key": "A_7", "error": "judge: gave no usable answer"}])"));
  EXPECT_EQ(json.at("rows").at(2).at("task"), "OVERALL");
  EXPECT_NEAR(json.at("rows").at(2).at("f1").get<double>(), .694665, 5e-7);
  EXPECT_FALSE(json.contains("rows_failed_generations_as_0"));
  EXPECT_FALSE(json.contains("sentences"));
}

TEST(AutoDqReport, ItemsCarryCountsAndLabels) {
  const auto json = nlohmann::json::parse(autodq_item_json(item("A", "enc", "")));
  EXPECT_EQ(json.at("status"), "ok");
  EXPECT_EQ(json.at("recall"), nlohmann::json::parse("[1, 3]"));
  EXPECT_EQ(json.at("precision"), nlohmann::json::parse("[0, 0]"));
  EXPECT_EQ(json.at("hit_num_recall"), 1);
  EXPECT_EQ(json.at("events_gt").at(2),
            nlohmann::json::parse(R"({"event": "event c", "relationship": "contradiction"})"));
  const auto bad = nlohmann::json::parse(autodq_item_json(failed("A")));
  EXPECT_EQ(bad.at("status"), "failed");
  EXPECT_EQ(bad.at("error"), "judge: gave no usable answer");
  EXPECT_FALSE(bad.contains("recall"));
}

TEST(AutoDqReport, FailedGenerationsAlsoCountAsNothing) {
  std::vector<AutoDqItem> items = {item("A", "e", "e"), failed("A")};
  items[1].sample.prediction = "<error>";
  const auto json = nlohmann::json::parse(autodq_scores_json(items, {}));
  EXPECT_EQ(json.at("rows").at(1).at("f1"), 1.0);
  EXPECT_EQ(json.at("rows_failed_generations_as_0").at(1).at("f1"), 0.5);
}

}  // namespace
}  // namespace tarsier
