#include "tarsier/synth/text_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

using Json = nlohmann::json;

const std::vector<TextKind> kAll = {TextKind::dense, TextKind::intervals,  TextKind::brief,
                                    TextKind::web,   TextKind::commentary, TextKind::questions,
                                    TextKind::flawed};

TextRowSettings settings_for(std::vector<TextKind> kinds, std::vector<Language> languages) {
  TextRowSettings settings;
  settings.kinds = std::move(kinds);
  settings.languages = std::move(languages);
  return settings;
}

const std::vector<Language> kEvery = {kLanguages.begin(), kLanguages.end()};

std::vector<Json> rows_of(std::uint64_t index, const TextRowSettings& settings) {
  const Clip clip = make_clip(level_named("base"), Split::train, 5, index);
  std::vector<Json> rows;
  for (const std::string& row : text_rows(clip, "000007.mp4", 16, settings))
    rows.push_back(Json::parse(row));
  return rows;
}

std::string answer_of(const Json& row) {
  return row.at("messages").at(1).at("content").at(0).at("text");
}

TEST(TextRows, OneForEachKindAndLanguage) {
  const auto rows = rows_of(0, settings_for(kAll, kEvery));
  ASSERT_EQ(rows.size(), 21u);
  std::size_t at = 0;
  for (const char* kind :
       {"dense", "intervals", "brief", "web", "commentary", "questions", "flawed"}) {
    for (const char* language : {"en", "zh", "es"}) {
      const Json& row = rows[at++];
      EXPECT_EQ(row.at("id"), std::string("000007-") + kind + "-" + language);
      EXPECT_EQ(row.at("extra_info").at("text"), kind);
      EXPECT_EQ(row.at("extra_info").at("language"), language);
      EXPECT_EQ(row.at("extra_info").at("index"), 0);
      const Json& messages = row.at("messages");
      EXPECT_EQ(messages.at(0).at("content").at(0).at("video").at("video_file"), "000007.mp4");
      EXPECT_EQ(messages.size() % 2, 0u);
      for (std::size_t i = 1; i < messages.size(); i += 2)
        EXPECT_NE(messages.at(i).at("content").at(0).at("text"), "");
      const bool loose = kind == std::string("web") || kind == std::string("commentary") ||
                         kind == std::string("flawed");
      EXPECT_EQ(messages.at(1).at("content").at(0).contains("reference"),
                kind == std::string("flawed"));
      EXPECT_EQ(row.at("extra_info").contains("flaws"), loose);
      EXPECT_EQ(row.at("extra_info").contains("left_out"), loose);
    }
  }
  EXPECT_EQ(rows[15].at("task"), "video/QA");
  EXPECT_EQ(rows[15].at("extra_info").at("kinds").size() * 2, rows[15].at("messages").size());
}

TEST(TextRows, OthersAskedForChangeNone) {
  const auto all = rows_of(3, settings_for(kAll, kEvery));
  const auto one = rows_of(3, settings_for({TextKind::web}, {Language::spanish}));
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0], all[3 * 3 + 2]);
}

TEST(TextRows, RatesSayHowMuchIsWrong) {
  int wrong_captions = 0, moved = 0;
  for (std::uint64_t index = 0; index < 40; ++index) {
    TextRowSettings settings =
        settings_for({TextKind::web, TextKind::commentary}, {Language::english});
    settings.web.wrong = 0;
    settings.drift.seconds = settings.drift.jitter = 0;
    for (const Json& row : rows_of(index, settings))
      EXPECT_EQ(row.at("extra_info").at("flaws"), Json::array());
    settings.web.wrong = 1;
    settings.drift.seconds = 6;
    const auto rows = rows_of(index, settings);
    wrong_captions += static_cast<int>(rows[0].at("extra_info").at("flaws").size());
    for (const Json& flaw : rows[1].at("extra_info").at("flaws")) {
      EXPECT_EQ(flaw.at("kind"), "time");
      EXPECT_NE(answer_of(rows[1]).find(flaw.at("said").get<std::string>()), std::string::npos);
      EXPECT_NE(flaw.at("said"), flaw.at("truth"));
      ++moved;
    }
  }
  EXPECT_EQ(wrong_captions, 40);
  EXPECT_GT(moved, 40);
}

TEST(TextRows, NamesOfKinds) {
  EXPECT_EQ(text_kind_named("web", "--rows"), TextKind::web);
  EXPECT_EQ(name_of(TextKind::commentary), "commentary");
  try {
    text_kind_named("prose", "--rows");
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.note.text(),
              "--rows: 'prose' is not a kind of text; use dense, intervals, brief, web, "
              "commentary, flawed or questions");
  }
}

}  // namespace
}  // namespace tarsier
