#include "tarsier/synth/clip_rows.h"

#include <gtest/gtest.h>

#include "tarsier/base/json.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

TEST(ClipRows, HoldTheTruthTheWordsAndATrainingRow) {
  const Clip clip = make_clip(level_named("base"), Split::train, 3, 5);
  const std::string line = clip_row(clip, "000005.mp4", 8);
  EXPECT_EQ(line, clip_row(clip, "000005.mp4", 8));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const JsonView row = parse_json(line, "clips.jsonl", JsonOwner::input);
  EXPECT_EQ(row.at("id").as_string(), "000005");
  EXPECT_EQ(row.at("events").size(), static_cast<std::int64_t>(clip.events.size()));
  EXPECT_EQ(row.at("opening").size(), static_cast<std::int64_t>(clip.opening.size()));
  const ParsedScene parsed =
      parse_description(row.at("descriptions").at("zh").as_string(), Language::chinese);
  EXPECT_EQ(parsed.unparsed, 0);
  EXPECT_EQ(parsed.events.size(), clip.events.size());
  for (const char* code : {"en", "zh", "es"}) {
    EXPECT_GT(row.at("questions").at(code).size(), 5);
    EXPECT_FALSE(row.at("web_captions").at(code).at("text").as_string().empty());
    EXPECT_TRUE(row.at("commentaries").at(code).at("flaws").is_array());
  }
  const JsonView messages = row.at("messages");
  EXPECT_EQ(messages.size(), 2 + 2 * row.at("questions").at("en").size());
  EXPECT_EQ(messages.at(0).at("content").at(0).at("video").at("video_file").as_string(),
            "000005.mp4");
  EXPECT_EQ(messages.at(messages.size() - 1).at("role").as_string(), "assistant");
}

TEST(ClipRows, SayWhatIsHeard) {
  int tied = 0;
  for (std::uint64_t index = 0; index < 20; ++index) {
    const Clip clip = make_clip(level_named("av"), Split::train, 3, index);
    const std::string line = clip_row(clip, "000000.mp4", 8);
    const JsonView row = parse_json(line, "clips.jsonl", JsonOwner::input);
    ASSERT_EQ(row.at("sounds").size(), static_cast<std::int64_t>(clip.sounds.size()));
    for (std::int64_t i = 0; i < row.at("sounds").size(); ++i) {
      const JsonView sound = row.at("sounds").at(i);
      const ClipSound& truth = clip.sounds[static_cast<std::size_t>(i)];
      EXPECT_EQ(sound.at("kind").as_string(), name_of(truth.kind));
      EXPECT_EQ(sound.at("frames").size(), 2);
      EXPECT_FALSE(sound.at("text").as_string().empty());
      EXPECT_EQ(sound.has("event"), truth.event >= 0);
      tied += sound.has("event") ? 1 : 0;
    }
  }
  EXPECT_GT(tied, 5);
  const std::string silent =
      clip_row(make_clip(level_named("base"), Split::train, 3, 5), "000000.mp4", 8);
  EXPECT_EQ(silent.find("sound"), std::string::npos);
}

TEST(ClipRows, SayWhereTheCameraGoes) {
  int moving = 0;
  for (std::uint64_t index = 0; index < 20; ++index) {
    const Clip clip = make_clip(level_named("rich"), Split::train, 3, index);
    const std::string line = clip_row(clip, "000000.mp4", 16);
    const JsonView row = parse_json(line, "clips.jsonl", JsonOwner::input);
    EXPECT_EQ(row.has("camera"), clip.camera != Camera{});
    moving += row.has("camera") ? 1 : 0;
  }
  EXPECT_GT(moving, 2);
}

}  // namespace
}  // namespace tarsier
