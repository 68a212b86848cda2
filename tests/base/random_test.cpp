#include "tarsier/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace tarsier {
namespace {

TEST(Random, IsAPureFunctionOfKeyAndCounter) {
  Random a({1, 2, 3});
  a.next();
  const std::uint64_t second = a.next();
  Random resumed(a.key(), 1);
  EXPECT_EQ(resumed.next(), second);
  EXPECT_NE(Random({1, 2, 4}).next(), Random({1, 2, 3}).next());
  EXPECT_NE(Random({2, 1}).next(), Random({1, 2}).next());
}

TEST(Random, SameNumbersOnEveryMachine) {
  Random random({42});
  EXPECT_EQ(random.next(), 0x665a5c842df8ff99U);
  EXPECT_EQ(random.next(), 0xb91bec8f73f07d0bU);
  EXPECT_EQ(random.next(), 0xf313939af96f9e89U);
}

TEST(Random, IntegersCoverTheRangeEvenly) {
  Random random({7});
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[static_cast<std::size_t>(random.integer(-2, 3) + 2)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(Random, ShuffleIsAPermutation) {
  Random random({9});
  std::vector<int> items{0, 1, 2, 3, 4, 5, 6, 7};
  random.shuffle(items);
  EXPECT_EQ(std::set<int>(items.begin(), items.end()).size(), 8u);
}

TEST(Random, NormalHasUnitVariance) {
  Random random({11});
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.02);
  EXPECT_NEAR(squares / 1e5, 1, 0.03);
}

}  // namespace
}  // namespace tarsier
