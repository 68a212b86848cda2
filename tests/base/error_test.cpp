#include "tarsier/base/error.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

TEST(Error, ReadsWhereWhatHint) {
  const InputError error({"clip.mp4", "no video stream", "pass a file with a video track"});
  EXPECT_STREQ(error.what(), "clip.mp4: no video stream; pass a file with a video track");
}

TEST(Error, StaysOnOneLine) {
  EXPECT_EQ((ErrorNote{"a\nb", "x\x1b", ""}).text(), "a\\x0ab: x\\x1b");
}

TEST(Error, BrokenPromiseIsInternal) {
  EXPECT_THROW(check(false, "x holds"), InternalError);
  EXPECT_NO_THROW(check(true, "x holds"));
}

}  // namespace
}  // namespace tarsier
