#include "tarsier/train/report.h"

#include "tarsier/base/error.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What the page's script reads.
nlohmann::json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST(Report, HoldsTheRunInOnePage) {
  const fs::path run = test::fresh_folder("report");
  std::ofstream(run / "metrics.jsonl") << R"({"step":10,"stage":"one","loss":2.5,"skipped":0})"
                                       << "\n"
                                       << R"({"step":20,"stage":"two","loss":1.5,"skipped":1})"
                                       << "\n"
                                       << R"({"step":30,"stage":)";  // torn by a kill
  std::ofstream(run / "samples.jsonl")
      << R"({"step":20,"stage":"two","id":"a","prompt":"p","truth":"t","answer":"</script><b>"})"
      << "\n";
  std::ofstream(run / "recipe.json") << R"({"seed": 5})";
  write_report(run);
  const std::string page = text_of(run / "report.html");
  const nlohmann::json data = data_of(page);
  EXPECT_EQ(data.at("run"), run.filename().string());
  ASSERT_EQ(data.at("rows").size(), 2u);
  EXPECT_EQ(data.at("rows")[1].at("loss"), 1.5);
  EXPECT_EQ(data.at("samples")[0].at("answer"), "</script><b>");
  EXPECT_EQ(data.at("recipe").at("seed"), 5);
  EXPECT_TRUE(data.at("machine").is_null());
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  for (const char* outside : {"src=", "href=", "@import", "fetch(", "url(h"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST(Report, ThinsALongRunByMeansThatStayWithinAStage) {
  const fs::path run = test::fresh_folder("report_long");
  std::ofstream metrics(run / "metrics.jsonl"), samples(run / "samples.jsonl");
  for (int step = 1; step <= 2501; ++step) {
    metrics << nlohmann::json{{"step", step},     {"stage", step <= 100 ? "one" : "two"},
                              {"loss", step},     {"rate/vision", 2 * step},
                              {"bad_samples", 2}, {"skipped", 1}}
            << "\n";
    if (step % 10 == 0) samples << nlohmann::json{{"step", step}, {"answer", "x"}} << "\n";
  }
  metrics.close();
  samples.close();
  write_report(run);
  const nlohmann::json data = data_of(text_of(run / "report.html"));
  EXPECT_EQ(data.at("steps_a_point"), 3);
  const auto& rows = data.at("rows");
  EXPECT_EQ(rows[0].at("loss"), 2);
  EXPECT_EQ(rows[0].at("step"), 3);
  EXPECT_EQ(rows[33].at("loss"), 100);  // the stage's last row, alone
  EXPECT_EQ(rows[34].at("loss"), 102);
  EXPECT_EQ(rows.back().at("step"), 2501);
  EXPECT_EQ(rows[0].at("rate/vision"), 4);
  double skipped = 0, bad = 0;
  for (const auto& row : rows) {
    skipped += row.at("skipped").get<double>();
    bad += row.at("bad_samples").get<double>();
  }
  EXPECT_EQ(skipped, 2501);
  EXPECT_EQ(bad, 5002);
  EXPECT_EQ(data.at("sampled_steps"), 250);
  EXPECT_EQ(data.at("samples").size(), 60u);
  EXPECT_EQ(data.at("samples").front().at("step"), 10);
  EXPECT_EQ(data.at("samples").back().at("step"), 2500);
}

TEST(Report, NamesABrokenLineAndAFolderThatIsNoRun) {
  const fs::path run = test::fresh_folder("report_broken");
  EXPECT_THROW(write_report(run), InputError);
  std::ofstream(run / "metrics.jsonl") << "{\n{\"step\":1}\n";
  try {
    write_report(run);
    FAIL() << "a line in the middle that is not JSON is an error";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("metrics.jsonl line 1: is not a JSON object"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace tarsier
