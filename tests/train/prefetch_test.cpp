#include "tarsier/train/prefetch.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tarsier {
namespace {

// Sample n is n tokens long; every seventh is bad.
class CountingSource final : public SampleSource {
 public:
  Outcome<Sample> sample(std::uint64_t number) const override {
    if (number % 7 == 6) return ErrorNote{fmt::format("row {}", number), "is bad", "mend it"};
    Sample sample;
    sample.id = std::to_string(number);
    const std::size_t tokens = number + 1;
    TokenRun run;
    run.tokens.assign(tokens, 1);
    run.positions.assign(3 * tokens, 0);
    run.labels.assign(tokens, 1);
    run.weights.assign(tokens, 1);
    sample.branches.push_back(std::move(run));
    return sample;
  }
  const std::vector<std::int64_t>& word_tokens() const override { return words_; }

 private:
  std::vector<std::int64_t> words_;
};

Stage small_stage() {
  Stage stage;
  stage.clips_per_step = 2;
  stage.accumulate = 4;
  return stage;
}

std::vector<std::vector<std::string>> ids_of(const StepData& data) {
  std::vector<std::vector<std::string>> ids;
  for (const Batch& batch : data.micro_batches) ids.push_back(batch.ids);
  return ids;
}

using Ids = std::vector<std::vector<std::string>>;

TEST(Prefetch, ThreadsChangeNothing) {
  const CountingSource source;
  Prefetch alone(source, small_stage(), 0), many(source, small_stage(), 0, {}, {.threads = 3});
  for (int step = 0; step < 5; ++step) {
    const StepData a = alone.next(), b = many.next();
    EXPECT_EQ(ids_of(a), ids_of(b));
    EXPECT_EQ(a.samples, 8u);
    EXPECT_EQ(b.samples, 8u);
    ASSERT_EQ(a.bad.size(), b.bad.size());
    for (std::size_t i = 0; i < a.bad.size(); ++i) EXPECT_EQ(a.bad[i].text(), b.bad[i].text());
  }
}

TEST(Prefetch, JoinsNeighboursUpToSoManyTokens) {
  const CountingSource source;
  Prefetch apart(source, small_stage(), 0);
  const StepData each = apart.next();
  EXPECT_EQ(ids_of(each), (Ids{{"0", "1"}, {"2", "3"}, {"4", "5"}, {"7"}}));
  EXPECT_EQ(each.bad.size(), 1u);
  // 3, 7, 11 and 8 tokens.
  Prefetch some(source, small_stage(), 0, {}, {.join_tokens = 19});
  EXPECT_EQ(ids_of(some.next()), (Ids{{"0", "1", "2", "3"}, {"4", "5", "7"}}));
  Prefetch all(source, small_stage(), 0, {}, {.join_tokens = 100});
  const StepData one = all.next();
  EXPECT_EQ(ids_of(one), (Ids{{"0", "1", "2", "3", "4", "5", "7"}}));
  EXPECT_EQ(one.micro_batches[0].tokens.numel(), 29);
  EXPECT_EQ(one.samples, 8u);
}

TEST(Prefetch, RanksTogetherMakeWhatOneAloneWould) {
  const CountingSource source;
  Prefetch first(source, small_stage(), 8, {}, {.place = {0, 2}}),
      second(source, small_stage(), 8, {}, {.place = {1, 2}});
  EXPECT_EQ(ids_of(first.next()), (Ids{{"8", "9"}, {"12"}}));
  EXPECT_EQ(ids_of(second.next()), (Ids{{"10", "11"}, {"14", "15"}}));
}

}  // namespace
}  // namespace tarsier
