// Which of the models that come with tarsier answers about a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;

class DefaultModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new ScratchFolder;
    for (const char* level : {"av", "easy"}) {
      const ProgramResult made =
          run_tarsier({"data", "synth", "--level", level, "--clips", "1", "--out", folder(level)});
      ASSERT_EQ(made.exit_code, 0) << made.err;
    }
  }
  static void TearDownTestSuite() { delete scratch; }
  static std::string folder(const char* level) { return (scratch->path() / level).string(); }
  static std::string clip(const char* level) { return folder(level) + "/000000.mp4"; }

  // The models that answered, row by row.
  static std::vector<std::string> models(std::vector<std::string> words) {
    words.insert(words.end(), {"--json", "--quiet"});
    const ProgramResult result = run_tarsier(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::vector<std::string> names;
    std::istringstream rows(result.out);
    for (std::string row; std::getline(rows, row);)
      names.push_back(nlohmann::json::parse(row).at("model"));
    return names;
  }

  inline static ScratchFolder* scratch = nullptr;
};

TEST_F(DefaultModel, HearsFilesWithSound) {
  EXPECT_THAT(models({"describe", clip("av"), clip("easy"), clip("av")}),
              ElementsAre("tarsier-nano-av", "tarsier-nano", "tarsier-nano-av"));
  EXPECT_THAT(models({"describe", "--audio", "off", clip("av")}), ElementsAre("tarsier-nano"));
  EXPECT_THAT(models({"ask", clip("av"), "What is heard?"}), ElementsAre("tarsier-nano-av"));
  EXPECT_THAT(models({"ask", clip("easy"), "What is the background?"}),
              ElementsAre("tarsier-nano"));
  EXPECT_THAT(models({"eval", "world", "--level", "av", "--clips", "1", "--questions", "0"}),
              ElementsAre("tarsier-nano-av"));
}

}  // namespace
}  // namespace tarsier
