#include "tarsier/train/bad_samples.h"

#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"

namespace tarsier {
namespace {

class CountBad : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) { log_ += std::string(line) + "\n"; });
  }
  void TearDown() override { set_log_sink({}); }

  // A step of `samples`, `bad` of which cannot be used.
  void count(std::uint64_t samples, std::int64_t bad, double max_bad) {
    StepData data;
    data.samples = samples;
    for (std::int64_t i = 0; i < bad; ++i)
      data.bad.push_back({"rows.jsonl line 7", "is missing", "mend or remove the row"});
    count_bad(data, max_bad, state_);
  }

  TrainState state_;
  std::string log_;
};

TEST_F(CountBad, NamesAndCountsThem) {
  count(10, 2, 0.5);
  EXPECT_EQ(state_.bad_samples, 2);
  EXPECT_EQ(state_.good_samples, 8);
  EXPECT_EQ(log_,
            "skipped rows.jsonl line 7: is missing; mend or remove the row\n"
            "skipped rows.jsonl line 7: is missing; mend or remove the row\n");
}

// One in ten thousand may be among the first hundred.
TEST_F(CountBad, OneAloneStopsNothing) {
  count(4, 1, 0.001);
  count(4, 0, 0.001);
  EXPECT_EQ(state_.bad_samples, 1);
  try {
    count(4, 1, 0.001);
    FAIL() << "two of twelve are more than a thousandth";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "rows.jsonl line 7: 2 of 12 samples cannot be used, more than max_bad 0.001; mend "
                 "the rows named above, or raise --max-bad");
  }
}

TEST_F(CountBad, ShareIsThatOfAllSoFar) {
  count(4000, 4, 0.001);
  EXPECT_THROW(count(100, 1, 0.001), InputError);
}

TEST_F(CountBad, NoneMeansNone) {
  count(1000, 0, 0);
  EXPECT_THROW(count(1000, 1, 0), InputError);
}

}  // namespace
}  // namespace tarsier
