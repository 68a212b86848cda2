// Sounds in words: told, read back, matched and scored.
#include "tarsier/synth/sound_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/synth/event_match.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/world_score.h"
#include "tests/synth/small_heard_clip.h"

namespace tarsier {
namespace {

ParsedEvent read(const std::string& text, Language language = Language::english) {
  const ParsedScene scene = parse_description(text, language);
  EXPECT_EQ(scene.unparsed, 0) << text;
  EXPECT_EQ(scene.events.size(), 1u) << text;
  return scene.events.empty() ? ParsedEvent{} : scene.events[0];
}

WorldScores score(const std::string& text) {
  WorldScorer scorer;
  scorer.add_description(small_heard_clip(), parse_description(text, Language::english));
  return scorer.scores();
}

TEST(SoundWords, AreReadBackInEveryPhrasing) {
  for (const Language language : kLanguages) {
    std::set<std::string> phrasings;
    for (std::uint64_t index = 0; index < 2000 && !HasFailure(); ++index) {
      const Clip clip = make_clip(level_named("av"), Split::train, 9, index);
      const std::vector<double> seconds = sampled_seconds(clip, 8);
      const std::vector<ParsedEvent> truths = told_events(clip);
      const std::vector<Happening> order = happenings(clip.events, clip.sounds);
      Random random({index});
      for (const bool timed : {false, true}) {
        const std::string text = timed ? describe_with_intervals(clip, seconds, language, random)
                                       : describe(clip, language, random);
        SCOPED_TRACE(text);
        const ParsedScene parsed = parse_description(text, language);
        EXPECT_EQ(parsed.unparsed, 0);
        EXPECT_EQ(parsed.opening, clip.opening);
        ASSERT_EQ(parsed.events.size(), truths.size());
        for (std::size_t i = 0; i < truths.size(); ++i) {
          EXPECT_TRUE(same_event(parsed.events[i], truths[i]));
          const FrameInterval frames =
              timed ? frame_interval(order[i].start, order[i].end, seconds) : FrameInterval{};
          EXPECT_EQ(parsed.events[i].first_frame, frames.first);
          EXPECT_EQ(parsed.events[i].last_frame, frames.last);
        }
      }
      for (const ClipSound& sound : clip.sounds) {
        if (sound.event < 0)
          phrasings.insert(any_sound_clause(sound.kind, nullptr, language, random));
      }
    }
    EXPECT_EQ(phrasings.size(), 2u * kSoundKinds);
  }
}

TEST(SoundWords, ReadByHand) {
  EXPECT_EQ(read("Three beeps are heard.").sound, SoundKind::three_beeps);
  EXPECT_FALSE(read("Three beeps are heard.").tied);
  EXPECT_EQ(read("A rising sweep sounds off screen.").sound, SoundKind::rising_sweep);
  const ParsedEvent tone = read("When the red circle hops, a low tone is heard.");
  EXPECT_EQ(tone.sound, SoundKind::low_tone);
  EXPECT_TRUE(tone.tied);
  EXPECT_EQ(tone.kind, EventKind::jump);
  EXPECT_EQ(tone.actor.shape, Shape::circle);
  EXPECT_TRUE(same_event(tone, read("A low tone sounds when the red circle jumps.")));
  EXPECT_EQ(read("红色圆形跳动时响起一声低音。", Language::chinese).sound, SoundKind::low_tone);
  EXPECT_EQ(read("Suenan dos pitidos cuando el círculo rojo salta.", Language::spanish).sound,
            SoundKind::two_beeps);
  for (const char* text :
       {"Three beeps is heard.", "A low tone sounds when it rains.", "A low tone sounds when.",
        "A low tone is heard when the red circle jumps.", "Five beeps are heard.",
        "A low tone sounds when three beeps are heard.", "When, a low tone is heard."}) {
    const ParsedScene scene = parse_description(text, Language::english);
    EXPECT_EQ(scene.unparsed, 1) << text;
    EXPECT_TRUE(scene.events.empty()) << text;
  }
}

TEST(SoundWords, StandAmongTheEvents) {
  Random random({1});
  std::set<std::string> texts;
  for (int i = 0; i < 800; ++i) {
    texts.insert(describe_with_intervals(small_heard_clip(), sampled_seconds(small_heard_clip(), 8),
                                         Language::english, random));
  }
  EXPECT_EQ(texts.size(), 2u * 2 * 4 * 2);  // opening, jump, tone with its jump, beeps
  EXPECT_TRUE(
      texts.contains("On a gray background, there is a small red circle at the top left."
                     "<frame: 1-4>The red circle jumps."
                     "<frame: 1-3>A low tone sounds when the red circle jumps."
                     "<frame: 5-6>Three beeps are heard."))
      << *texts.begin();
}

TEST(SoundWords, MatchByKindAndEvent) {
  const ParsedEvent tied = told_sound(small_heard_clip(), small_heard_clip().sounds[0]);
  EXPECT_TRUE(same_event(tied, read("A low tone sounds when the red circle jumps.")));
  for (const char* other : {"A high tone sounds when the red circle jumps.", "A low tone is heard.",
                            "A low tone sounds when the red circle spins.", "The red circle jumps.",
                            "A low tone sounds when the blue circle jumps."})
    EXPECT_FALSE(same_event(tied, read(other))) << other;
  const ParsedEvent alone = told_sound(small_heard_clip(), small_heard_clip().sounds[1]);
  EXPECT_TRUE(same_event(alone, read("Three beeps sound off screen.")));
  EXPECT_FALSE(same_event(alone, read("Two beeps are heard.")));
  EXPECT_FALSE(same_event(alone, read("Three beeps sound when the red circle jumps.")));
  EXPECT_EQ(told_clause(tied, Language::english), "a low tone sounds when the red circle jumps");
  EXPECT_EQ(told_clause(alone, Language::spanish), "se oyen tres pitidos");
}

TEST(SoundScores, CountEventsAndSoundsTogetherAndSoundsApart) {
  const WorldScores perfect = score(
      "The red circle jumps. When the red circle jumps, a low tone is heard. Three beeps are "
      "heard.");
  for (const double one : {perfect.event_f1, perfect.order, perfect.sound_precision,
                           perfect.sound_recall, perfect.sound_f1})
    EXPECT_EQ(one, 1);
  EXPECT_EQ(perfect.sounds, 2);
  // Right: the beeps, before the jump. The tone's event is not said, a click is made up.
  const WorldScores scores =
      score("Three beeps are heard. The red circle jumps. A low tone is heard. A click is heard.");
  EXPECT_DOUBLE_EQ(scores.event_recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.event_precision, 0.5);
  EXPECT_DOUBLE_EQ(scores.order, 0.5);
  EXPECT_DOUBLE_EQ(scores.miss, 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.hallucination, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.total, 1);
  EXPECT_DOUBLE_EQ(scores.sound_recall, 0.5);
  EXPECT_DOUBLE_EQ(scores.sound_precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.sound_f1, 0.4);
}

TEST(SoundScores, IntervalsOfSoundsCount) {
  const std::vector<double> seconds = {0, 1, 2, 3, 4, 5, 6, 7};
  WorldScorer scorer;
  scorer.add_intervals(small_heard_clip(), seconds,
                       parse_description("<frame: 2-3>A low tone sounds when the red circle jumps."
                                         "<frame: 5-7>Three beeps are heard.",
                                         Language::english));
  EXPECT_DOUBLE_EQ(scorer.scores().interval_exact, 0.5);
  EXPECT_DOUBLE_EQ(scorer.scores().interval_iou, (1 + 2.0 / 3) / 2);
}

TEST(SoundScores, AreInTheJsonWhereThereWereSounds) {
  const nlohmann::json heard = world_scores_json(score("A click is heard."), {}, 1, "m");
  EXPECT_EQ(heard.at("sound_f1"), 0);
  EXPECT_TRUE(heard.contains("sound_precision") && heard.contains("sound_recall"));
  WorldScorer silent;
  const Clip clip = make_clip(level_named("base"), Split::validation, 1, 0);
  silent.add_description(clip, parse_description("A click is heard.", Language::english));
  EXPECT_EQ(silent.scores().sound_f1, 0);
  const nlohmann::json json = world_scores_json(silent.scores(), {}, 1, "m");
  EXPECT_EQ(json.dump().find("sound"), std::string::npos);
  EXPECT_EQ(json.size(), 22u);
}

}  // namespace
}  // namespace tarsier
