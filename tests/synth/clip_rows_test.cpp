#include "tarsier/synth/clip_rows.h"

#include <gtest/gtest.h>

#include "tarsier/base/json.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/scene.h"

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
  const JsonView messages = row.at("messages");
  EXPECT_EQ(messages.size(), 2 + 2 * row.at("questions").at("en").size());
  EXPECT_EQ(messages.at(0).at("content").at(0).at("video").at("video_file").as_string(),
            "000005.mp4");
  EXPECT_EQ(messages.at(messages.size() - 1).at("role").as_string(), "assistant");
}

}  // namespace
}  // namespace tarsier
