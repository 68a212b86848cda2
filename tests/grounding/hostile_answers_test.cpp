// Long answers of one part over and over: each is read, or refused, in time linear in its length.
// Ten seconds of work in all; what is not linear takes minutes and meets the test's limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/grounding/timed_answer.h"
#include "tests/grounding/refusal.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;

std::string repeated(std::string_view part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

TEST(HostileAnswers, AreReadInLinearTime) {
  constexpr std::size_t kBytes = 512 << 10;
  const std::vector<double> frames = {0, 1, 2, 3};
  for (const char* part : {"1",  "1 ", "1-",    "1 - 2 s ", "1s ",          "0:01",    "0:01 ",
                           "[",  "[1", "[1-2]", "[1-2],",   "[1-2] and ",   "<frame:", "<frame: 1>",
                           " ",  "\n", "1s\n",  "-",        "1.",           "```",     "{",
                           "[[", "[{", "from ", "\xFF",     "1\xE5\x88\xB0"}) {
    for (const std::string& answer : {repeated(part, kBytes), repeated(part, kBytes) + "1s - 2s: x",
                                      "1s - 2s: x" + repeated(part, kBytes)}) {
      for (const char* query : {"", "q"}) {
        try {
          read_timed_answer({answer, "model"}, {frames, 0, 4}, query);
        } catch (const CheckpointError& error) {
          EXPECT_LT(error.note.text().size(), 2000u);
        }
      }
    }
  }
}

TEST(HostileAnswers, OfTooManyTimesAreRefused) {
  const auto refusal = [](const std::string& answer, const char* query) {
    const std::vector<double> frames = {0, 1, 2, 3};
    return testing::refusal_of([&] {
      read_timed_answer({answer, "model"}, {frames, 0, 4}, query);
    });
  };
  std::string many = "[1-2] x";
  std::string shared = "1 - 2 s", list = "[[1,2]";
  for (int i = 0; i < 10'000; ++i) {
    many += "\n[1-2] x";
    list += ",[1,2]";
    if (i < 100) shared += ", 1 - 2 s";
  }
  EXPECT_THAT(refusal(many, ""), HasSubstr("model: answered with 10001 times; it said '[1-2] x"));
  EXPECT_THAT(refusal(many, "q"), HasSubstr("answered with 10001 times;"));
  EXPECT_THAT(refusal(list + "]", "q"), HasSubstr("answered with 10001 times;"));
  EXPECT_THAT(refusal(shared + ": x", ""), HasSubstr("answered with 101 times for one event"));
}

}  // namespace
}  // namespace tarsier
