#include "tarsier/data/filter/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/data/filter/picture_hash.h"
#include "tarsier/data/filter/text_rules.h"
#include "tests/data/small_videos.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using testing::read_text;
using testing::scene_picture;
using testing::SmallVideo;
using testing::TemporaryFolder;
using testing::write_text;
using testing::write_video;

TEST(TextRules, Measures) {
  EXPECT_EQ(count_characters(""), 0);
  EXPECT_EQ(count_characters("a\xC3\xA9\xE6\x9C\x88"), 3);
  EXPECT_EQ(count_words("  two\twords\n"), 2);
  EXPECT_EQ(count_words(""), 0);
  EXPECT_EQ(script_share("abc 123", "latin", "--script"), 1);
  EXPECT_EQ(script_share("ab\xE6\x9C\x88\xE6\x9C\x88!", "han", "--script"), 0.5);
  EXPECT_EQ(script_share("123", "latin", "--script"), 0);
  EXPECT_THROW(script_share("", "runes", "--script"), ConfigError);
  EXPECT_EQ(normalised_text("  A dog,\n runs!! "), "a dog runs");
  EXPECT_EQ(normalised_text("e\xCC\x81"), normalised_text("\xC3\xA9"));
  EXPECT_EQ(normalised_text(""), "");
}

Record caption(const std::string& text) {
  Record record;
  record.turns.resize(2);
  record.turns[1].role = Role::assistant;
  record.turns[1].parts.resize(1);
  record.turns[1].parts[0].text = text;
  return record;
}

std::string broken(const Record& record, const std::optional<MediaFacts>& facts,
                   const FilterSettings& settings) {
  const auto why = broken_rule(record, facts, settings);
  return why ? why->reason + ": " + why->detail : "";
}

TEST(FilterRules, EdgesOfEach) {
  const MediaFacts facts{.seconds = 4, .cuts = 1, .motion = 0.5, .hashes = {}};
  FilterSettings s;
  EXPECT_EQ(broken(caption(""), facts, s), "") << "no rule, nothing broken";
  s.min_characters = 3;
  s.max_characters = 5;
  EXPECT_EQ(broken(caption("ab"), facts, s), "characters_low: 2 characters, at least 3");
  EXPECT_EQ(broken(caption("abc"), facts, s), "");
  EXPECT_EQ(broken(caption("abcde"), facts, s), "");
  EXPECT_EQ(broken(caption("abcdef"), facts, s), "characters_high: 6 characters, at most 5");
  s = {};
  s.min_words = 2;
  s.max_words = 2;
  EXPECT_EQ(broken(caption("one"), facts, s), "words_low: 1 words, at least 2");
  EXPECT_EQ(broken(caption("one two"), facts, s), "");
  s = {};
  s.script = "latin";
  EXPECT_EQ(broken(caption("\xE6\x9C\x88"), facts, s),
            "script: 0.00 of the letters are latin, at least 0.50");
  s = {};
  s.min_seconds = 4;
  s.max_seconds = 4;
  EXPECT_EQ(broken(caption(""), facts, s), "");
  s.min_seconds = 4.5;
  EXPECT_EQ(broken(caption(""), facts, s), "seconds_low: 4 seconds, at least 4.5");
  EXPECT_EQ(broken(caption(""), std::nullopt, s), "") << "no video, no rule of videos";
  s = {};
  s.max_rate = 1;
  EXPECT_EQ(broken(caption("abcd"), facts, s), "");
  EXPECT_EQ(broken(caption("abcdef"), facts, s), "rate_high: 1.5 characters a second, at most 1");
  s = {};
  s.max_shots = 1;
  EXPECT_EQ(broken(caption(""), facts, s), "shots: 2 shots, at most 1");
  s.max_shots = 2;
  EXPECT_EQ(broken(caption(""), facts, s), "");
  s = {};
  s.min_motion = 0.75;
  EXPECT_EQ(broken(caption(""), facts, s), "static: mean change of 0.500 levels, at least 0.75");
}

TEST(PictureHash, SizeBarelyMatters) {
  for (std::uint64_t scene = 0; scene < 20; ++scene) {
    const Size large{240, 320}, small{96, 128};
    const std::uint64_t a = picture_hash(scene_picture(scene, 0, large), large);
    EXPECT_LE(hash_distance(a, picture_hash(scene_picture(scene, 0, small), small)), 4) << scene;
    EXPECT_GE(hash_distance(a, picture_hash(scene_picture(scene + 100, 0, small), small)), 14);
  }
  const Size size{32, 32};
  const std::vector<std::uint8_t> grey(32 * 32 * 3, 90), light(32 * 32 * 3, 200);
  EXPECT_EQ(picture_hash(grey, size), 0u);
  EXPECT_EQ(picture_hash(light, size), 0u);
}

// The index finds what comparing all pairs finds.
TEST(HashIndex, MissesNothing) {
  Random random(7);
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 300; ++i) {
    std::uint64_t hash = i % 3 == 0 || hashes.empty() ? random.next() : random.pick(hashes);
    for (std::int64_t flips = random.integer(0, 14); flips > 0; --flips)
      hash ^= std::uint64_t{1} << random.integer(0, 63);
    hashes.push_back(hash);
  }
  for (const int distance : {0, 3, 4, 8, 15}) {
    HashIndex index(distance);
    for (std::size_t i = 0; i < hashes.size(); ++i)
      index.add(hashes[i], static_cast<std::int64_t>(i));
    for (const std::uint64_t hash : hashes) {
      std::vector<std::int64_t> expected;
      for (std::size_t i = 0; i < hashes.size(); ++i) {
        if (hash_distance(hash, hashes[i]) <= distance)
          expected.push_back(static_cast<std::int64_t>(i));
      }
      ASSERT_EQ(index.near(hash), expected) << distance;
    }
  }
}

TEST(MediaFactsTest, OfSmallVideos) {
  const TemporaryFolder folder;
  const auto look = [&](const SmallVideo& video) {
    return look_at(Media{}, write_video(folder / "a.mp4", video), {});
  };
  const MediaFacts moving = look({});
  EXPECT_NEAR(moving.seconds, 2, 0.01);
  EXPECT_EQ(moving.cuts, 0);
  EXPECT_GT(moving.motion, 0.5);
  EXPECT_EQ(moving.hashes.size(), 3u);
  EXPECT_EQ(look({.scenes = {1, 2, 3}}).cuts, 2);
  const MediaFacts still = look({.scenes = {4}, .speed = 0});
  EXPECT_LT(still.motion, 0.3);
  EXPECT_EQ(parse_facts(facts_json(moving)).hashes, moving.hashes);
  Media part;
  part.start = 1.0;
  part.end = 1.5;
  EXPECT_NEAR(look_at(part, folder / "a.mp4", {}).seconds, 0.5, 1e-9);
  part.start = 9.0;
  part.end.reset();
  EXPECT_THROW(look_at(part, folder / "a.mp4", {}), InputError);
  EXPECT_THROW(look_at(Media{}, folder / "none.mp4", {}), InputError);
}

std::string row(const std::string& video, const std::string& text) {
  return R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":")" +
         video +
         R"("}},{"type":"text","text":"Describe."}]},{"role":"assistant","content":[{"type":"text","text":")" +
         text + "\"}]}]}\n";
}

TEST(Filter, FindsCopiesAndKeepsTheRest) {
  set_log_sink([](LogLevel, std::string_view) {});
  const TemporaryFolder folder;
  for (std::uint64_t scene = 1; scene <= 4; ++scene)
    write_video(folder / ("s" + std::to_string(scene) + ".mp4"), {.scenes = {scene}});
  write_video(folder / "copy1.mp4",
              {.scenes = {1}, .frames_per_second = 25, .size = {192, 256}, .crf = 35});
  write_video(folder / "still.mp4", {.scenes = {9}, .speed = 0});
  write_video(folder / "cuts.mp4", {.scenes = {11, 12, 13, 14}});
  write_text(folder / "broken.mp4", "not a video");
  write_text(folder / "rows.jsonl",
             row("s1.mp4", "A ball rolls.") + row("s2.mp4", "A cat jumps.") +
                 row("copy1.mp4", "Something else.") + row("s3.mp4", "a ball  ROLLS") +
                 row("s1.mp4", "The same video, other words.") +
                 row("still.mp4", "Nothing moves.") + row("cuts.mp4", "Many shots.") +
                 row("broken.mp4", "Broken.") + row("gone.mp4", "Gone.") + row("s4.mp4", "Hi") +
                 row("s4.mp4", "A dog sleeps."));
  FilterSettings rules;
  rules.min_characters = 5;
  rules.duplicate_text = true;
  rules.video_distance = 6;
  rules.max_shots = 2;
  rules.min_motion = 0.5;
  StageJob job;
  job.name = "filter";
  job.inputs = {folder / "rows.jsonl"};
  job.out = folder / "out";
  job.settings = rules.json();
  job.workers = 2;
  const StageReport report = run_row_stage(job, make_filter_stage(rules), {});
  set_log_sink({});
  EXPECT_EQ(report.kept, 4) << read_text(folder / "out" / "dropped.jsonl");
  const std::map<std::string, std::int64_t> expected = {{"characters_low", 1},
                                                        {"duplicate_text", 1},
                                                        {"duplicate_video", 1},
                                                        {"shots", 1},
                                                        {"static", 1}};
  EXPECT_EQ(report.dropped, expected);
  ASSERT_EQ(report.failed, 2);
  EXPECT_EQ(report.failures[1],
            "rows.jsonl line 9: no file gone.mp4; check the path, which is relative to the file of "
            "rows");
  EXPECT_THAT(read_text(folder / "out" / "dropped.jsonl"),
              ::testing::HasSubstr(R"("detail":"the video of rows.jsonl line 1")"));
}

TEST(Filter, CommentaryRulesYieldToFlags) {
  FilterSettings rules;
  EXPECT_FALSE(rules.has_rule());
  rules.max_seconds = 60;
  add_commentary_rules(rules);
  EXPECT_EQ(rules.max_seconds, 60);
  EXPECT_EQ(rules.min_seconds, 2);
  EXPECT_TRUE(rules.duplicate_text);
  EXPECT_TRUE(rules.needs_media());
}

}  // namespace
}  // namespace tarsier
