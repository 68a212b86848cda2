#include "tarsier/train/train_log.h"

#include "tarsier/base/log.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

std::vector<nlohmann::json> rows_of(const std::filesystem::path& run) {
  std::vector<nlohmann::json> rows;
  std::ifstream stream(run / "metrics.jsonl");
  for (std::string line; std::getline(stream, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

StepReport report(std::int64_t step) {
  StepReport report;
  report.step = step;
  report.total_steps = 4;
  report.stage = "one";
  report.seconds = 2;
  report.clips = 1;
  report.tokens = 100;
  report.media_tokens = 75;
  report.bad_samples = 1;
  report.flops = 3e9;
  report.groups = {{"vision", 1e-3, 4}, {"decoder", 2e-3, 3}};
  return report;
}

TEST(TrainLog, MeansOfALineAreOverItsSteps) {
  const auto run = test::fresh_folder("train_log");
  TrainLog log(run, 2, 0, 6e9);
  log.add(report(1));
  StepReport second = report(2);
  second.flops = 9e9;
  second.seconds = 4;
  second.groups[0] = {"vision", 5e-4, 2};
  log.add(second);
  StepReport skipped = report(3);
  skipped.skipped = true;
  log.add(skipped);
  log.add(report(4));
  const auto rows = rows_of(run);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_DOUBLE_EQ(rows[0].at("model_flops_per_second").get<double>(), 2e9);
  EXPECT_DOUBLE_EQ(rows[0].at("mfu").get<double>(), 1.0 / 3);
  EXPECT_EQ(rows[0].at("visual_token_share"), 0.75);
  EXPECT_EQ(rows[0].at("bad_samples"), 2);
  EXPECT_EQ(rows[0].at("rate/vision"), 5e-4);
  EXPECT_EQ(rows[0].at("gradient_norm/vision"), 3);
  EXPECT_EQ(rows[0].at("gradient_norm/decoder"), 3);
  EXPECT_EQ(rows[1].at("skipped"), 1);
  EXPECT_EQ(rows[1].at("gradient_norm/vision"), 4);  // the step that was not skipped
}

TEST(TrainLog, GroupsOfANewStageBeginAnew) {
  const auto run = test::fresh_folder("train_log_groups");
  TrainLog log(run, 4, 0, 1);
  for (std::int64_t step = 1; step <= 4; ++step) {
    StepReport each = report(step);
    if (step > 3) each.groups = {{"decoder", 1e-3, 8}};
    log.add(each);
  }
  const auto rows = rows_of(run);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_FALSE(rows[0].contains("rate/vision"));
  EXPECT_EQ(rows[0].at("gradient_norm/decoder"), 8);
}

TEST(TrainLog, ProgressBeforeTheFirstLineIsOfTheStepsSoFar) {
  std::string shown;
  set_log_sink([&](LogLevel, std::string_view line) { shown += std::string(line) + "\n"; });
  TrainLog log(test::fresh_folder("train_log_progress"), 4, 0, 1);
  StepReport first = report(1);
  first.losses.total = first.losses.next_token = 2.5;
  log.add(first);
  set_log_sink({});
  EXPECT_EQ(shown,
            "step 1/4 one: loss 2.5000 (next token 2.5000, accuracy 0.000, words 0.000, events "
            "0.000, cells 0.000), rate 0.00e+00, 0.5 clips/s, 0 % starved, 6 s left\n");
}

}  // namespace
}  // namespace tarsier
