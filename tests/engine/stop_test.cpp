#include "tarsier/engine/stop.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

TEST(StopStrings, PassesEverythingOnWhenThereIsNone) {
  StopStrings stops({});
  EXPECT_EQ(stops.push("abc"), "abc");
  EXPECT_EQ(stops.finish(), "");
  EXPECT_FALSE(stops.hit());
}

TEST(StopStrings, EndsBeforeTheStringWhereverTokensMeet) {
  const std::string text = "one two STOP three";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    StopStrings stops({"STOP"});
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += step) out += stops.push(text.substr(at, step));
    out += stops.finish();
    EXPECT_EQ(out, "one two ") << "pieces of " << step;
    EXPECT_TRUE(stops.hit());
  }
}

TEST(StopStrings, HoldsBackOnlyWhatMayBeABeginning) {
  StopStrings stops({"\n\n"});
  EXPECT_EQ(stops.push("a\n"), "a");
  EXPECT_EQ(stops.push("b"), "\nb");
  EXPECT_EQ(stops.push("\n"), "");
  EXPECT_EQ(stops.finish(), "\n");
}

TEST(StopStrings, FindsAStringThatBeginsInsideAFailedOne) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.push("aa"), "");
  EXPECT_EQ(stops.push("a"), "a");
  EXPECT_EQ(stops.push("b!"), "");
  EXPECT_TRUE(stops.hit());
}

TEST(StopStrings, TakesTheEarliestOfSeveral) {
  StopStrings stops({"world", "o w"});
  EXPECT_EQ(stops.push("hello world"), "hell");
  EXPECT_TRUE(stops.hit());
  EXPECT_EQ(stops.push("more"), "");
}

TEST(EndIds, AnyOfAList) {
  EXPECT_TRUE(is_end({151645, 151643}, 151643));
  EXPECT_TRUE(is_end({151645, 151643}, 151645));
  EXPECT_FALSE(is_end({151645, 151643}, 151644));
  EXPECT_FALSE(is_end({}, 0));
}

}  // namespace
}  // namespace tarsier
