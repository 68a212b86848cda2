#include "tarsier/data/mix/mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/data/mix/mix_order.h"
#include "tarsier/data/row_cost.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

TEST(MixOrderTest, SharesHoldInEveryBlock) {
  MixOrder order({{900, 3}, {117, 1}, {7, 0.01}}, 5);
  std::vector<std::int64_t> drawn(3, 0);
  for (int block = 1; block <= 40; ++block) {
    for (std::int64_t i = 0; i < MixOrder::kBlock; ++i) ++drawn[order.next().source];
    const double total = static_cast<double>(block * MixOrder::kBlock);
    EXPECT_NEAR(static_cast<double>(drawn[0]), total * 3 / 4.01, 1);
    EXPECT_NEAR(static_cast<double>(drawn[1]), total * 1 / 4.01, 1);
    EXPECT_NEAR(static_cast<double>(drawn[2]), total * 0.01 / 4.01, 1);
  }
}

TEST(MixOrderTest, ASourceComesOnceAnEpoch) {
  MixOrder order({{10, 1}, {3, 1}}, 1);
  std::map<std::pair<std::size_t, std::int64_t>, std::multiset<std::int64_t>> epochs;
  for (int i = 0; i < 600; ++i) {
    const MixPick pick = order.next();
    epochs[{pick.source, pick.epoch}].insert(pick.row);
  }
  const auto& first = epochs[{0, 0}];
  const auto& third = epochs[{1, 2}];
  EXPECT_EQ(std::set<std::int64_t>(first.begin(), first.end()).size(), 10u);
  EXPECT_EQ(first.size(), 10u);
  EXPECT_EQ(std::set<std::int64_t>(third.begin(), third.end()).size(), 3u);
}

TEST(MixOrderTest, SkippingIsDrawing) {
  const std::vector<MixSource> sources = {{100, 2}, {30, 1}, {9, 5}};
  MixOrder all(sources, 9);
  std::vector<MixPick> picks;
  for (int i = 0; i < 1000; ++i) picks.push_back(all.next());
  for (const std::int64_t skip : {0, 1, 255, 256, 257, 700}) {
    MixOrder resumed(sources, 9);
    resumed.skip(skip);
    EXPECT_EQ(resumed.position(), skip);
    for (std::size_t i = static_cast<std::size_t>(skip); i < picks.size(); ++i)
      ASSERT_EQ(resumed.next(), picks[i]) << skip << " " << i;
  }
  MixOrder other(sources, 10);
  int same = 0;
  for (const MixPick& pick : picks) same += other.next() == pick ? 1 : 0;
  EXPECT_LT(same, 200);
}

TEST(MixOrderTest, Refusals) {
  EXPECT_THROW(MixOrder({}, 1), ConfigError);
  EXPECT_THROW(MixOrder({{0, 1}}, 1), ConfigError);
  EXPECT_THROW(MixOrder({{1, 0}}, 1), ConfigError);
  EXPECT_THROW(MixOrder({{1, -1}}, 1), ConfigError);
}

TEST(BalanceBatches, EvensOutCosts) {
  Random random(3);
  std::vector<double> costs;
  for (int i = 0; i < 67; ++i) costs.push_back(random.uniform(1, 100));
  const auto order = balance_batches(costs, 8);
  ASSERT_EQ(order.size(), costs.size());
  std::set<std::size_t> places(order.begin(), order.end());
  EXPECT_EQ(places.size(), costs.size());
  double low = 1e9, high = 0;
  for (std::size_t batch = 0; batch < 8; ++batch) {
    double sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += costs[order[batch * 8 + i]];
    low = std::min(low, sum);
    high = std::max(high, sum);
  }
  EXPECT_LT(high / low, 1.1);
  EXPECT_EQ(order[64], 64u);
  EXPECT_TRUE(balance_batches({}, 4).empty());
}

std::string rows(const std::string& name, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += R"({"n":")" + name + std::to_string(i) +
            R"(","messages":[{"role":"user","content":"Q"},{"role":"assistant","content":")" +
            std::string(static_cast<std::size_t>(i) + 1, 'x') + "\"}]}\n";
  return text;
}

class MixTest : public ::testing::Test {
 protected:
  MixTest() {
    set_log_sink([](LogLevel, std::string_view) {});
    write_text(folder_ / "a.jsonl", rows("a", 40));
    write_text(
        folder_ / "b.json",
        R"([{"n":"b0","messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]},
      {"n":"b1","messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}])");
    job_.sources = {{folder_ / "a.jsonl", 3.0}, {folder_ / "b.json", 1.0}};
    job_.rows = 504;
  }
  ~MixTest() override { set_log_sink({}); }

  std::vector<nlohmann::json> mix(const std::string& out) {
    job_.out = folder_ / out;
    report_ = run_mix(job_, {});
    std::vector<nlohmann::json> parsed;
    std::stringstream stream(read_text(job_.out / "rows.jsonl"));
    for (std::string line; std::getline(stream, line);)
      parsed.push_back(nlohmann::json::parse(line));
    return parsed;
  }

  TemporaryFolder folder_;
  MixJob job_;
  MixReport report_;
};

TEST_F(MixTest, WritesSharesWithWhereTheyAreFrom) {
  const auto rows = mix("out");
  ASSERT_EQ(rows.size(), 504u);
  EXPECT_EQ(report_.sources[0].drawn, 378);
  EXPECT_EQ(report_.sources[1].drawn, 126);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& from = rows[i].at("mix");
    EXPECT_EQ(from.at("position"), i);
    EXPECT_EQ(from.at("source").get<std::string>()[0], rows[i].at("n").get<std::string>()[0]);
  }
  EXPECT_EQ(mix("again"), rows);
  job_.skip = 100;
  job_.rows = 404;
  EXPECT_EQ(mix("later"), std::vector(rows.begin() + 100, rows.end()));
  job_.seed = 2;
  EXPECT_NE(mix("other"), std::vector(rows.begin() + 100, rows.end()));
}

TEST_F(MixTest, WithoutWeightsEachRowOnce) {
  job_.sources = {{folder_ / "a.jsonl", std::nullopt}, {folder_ / "b.json", std::nullopt}};
  job_.rows = 0;
  std::set<std::string> names;
  for (const auto& row : mix("out")) names.insert(row.at("n"));
  EXPECT_EQ(names.size(), 42u);
}

TEST_F(MixTest, BadRowsAreLeftOutAndNamed) {
  write_text(folder_ / "a.jsonl", rows("a", 3) + "nonsense\n");
  job_.sources = {{folder_ / "a.jsonl", 1.0}};
  job_.rows = 8;
  EXPECT_EQ(mix("out").size(), 6u);
  EXPECT_EQ(report_.failed, 2);
  EXPECT_EQ(report_.failures[0],
            "a.jsonl line 4: is not valid JSON at byte 2; the file may be cut or not JSON");
}

TEST_F(MixTest, BalancedBatchesHoldTheSameRows) {
  const auto plain = mix("plain");
  job_.batch = 16;
  const auto balanced = mix("balanced");
  std::multiset<std::string> a, b;
  for (const auto& row : plain) a.insert(row.dump());
  for (const auto& row : balanced) b.insert(row.dump());
  EXPECT_EQ(a, b);
  EXPECT_NE(plain, balanced);
}

TEST(RowCost, CountsTextAndPictures) {
  Record record;
  record.turns.resize(1);
  record.turns[0].parts.resize(1);
  record.turns[0].parts[0].text = std::string(400, 'x');
  EXPECT_EQ(row_cost(record), 100);
  record.media.resize(1);
  EXPECT_EQ(row_cost(record), 100 + 16 * 300);
  record.media[0].extra["n_frames"] = "8";
  EXPECT_EQ(row_cost(record), 100 + 8 * 300);
  record.media[0].extra["n_frames"] = "128";
  EXPECT_NEAR(row_cost(record), 100 + 12'037, 1) << "the budget of a sample";
  record.media[0].kind = MediaKind::image;
  record.media[0].extra.clear();
  EXPECT_EQ(row_cost(record), 100 + 300);
}

}  // namespace
}  // namespace tarsier
