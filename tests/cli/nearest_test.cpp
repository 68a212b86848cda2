#include "tarsier/cli/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace tarsier {
namespace {

const std::vector<std::string> kNames = {"describe", "ask", "doctor", "version"};

TEST(Nearest, OneLetterWrongMissingAddedOrSwapped) {
  EXPECT_EQ(nearest("describa", kNames), "describe");
  EXPECT_EQ(nearest("descibe", kNames), "describe");
  EXPECT_EQ(nearest("descrribe", kNames), "describe");
  EXPECT_EQ(nearest("desrcibe", kNames), "describe");
}

TEST(Nearest, ShortNamesTolerateLess) {
  EXPECT_EQ(nearest("as", kNames), "ask");
  EXPECT_EQ(nearest("xy", kNames), std::nullopt);
}

TEST(Nearest, NothingNear) {
  EXPECT_EQ(nearest("", kNames), std::nullopt);
  EXPECT_EQ(nearest("transcribe", kNames), std::nullopt);
  EXPECT_EQ(nearest("version", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100000, 'v'), kNames), std::nullopt);
}

}  // namespace
}  // namespace tarsier
