#include "tarsier/text/lower_case.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

TEST(LowerCase, OfEveryScript) {
  EXPECT_EQ(to_lower_case(""), "");
  EXPECT_EQ(to_lower_case("A Dog's 3rd \"JUMP\"\n"), "a dog's 3rd \"jump\"\n");
  EXPECT_EQ(to_lower_case("ÀÉÎÕÜ ŠŻ ΑΒΓ ДОМ Ⅷ"), "àéîõü šż αβγ дом ⅷ");
  EXPECT_EQ(to_lower_case("ß 跳 \xF0\x9F\x98\x80 \xF0\x90\x90\x80"),
            "ß 跳 \xF0\x9F\x98\x80 "
            "\xF0\x90\x90\xA8");
}

}  // namespace
}  // namespace tarsier
