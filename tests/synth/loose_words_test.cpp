#include "tarsier/synth/loose_words.h"

#include <gtest/gtest.h>

#include "tarsier/synth/event_match.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

Clip clip_at(std::uint64_t index) {
  return make_clip(level_named(index % 2 == 0 ? "base" : "rich"), Split::train, 4, index);
}

Clip heard_clip(std::uint64_t index) {
  return make_clip(level_named("av"), Split::train, 4, index);
}

TEST(LooseWords, CaptionsAreWrongAtTheirRateAndSayWhere) {
  for (const double rate : {0.0, 0.3, 1.0}) {
    int wrong = 0;
    for (std::uint64_t index = 0; index < 1000; ++index) {
      const Clip clip = clip_at(index);
      for (const Language language : kLanguages) {
        Random random({index, static_cast<std::uint64_t>(language)});
        const LooseText loose = web_caption(clip, language, random, {.wrong = rate});
        EXPECT_FALSE(loose.text.empty());
        EXPECT_EQ(loose.text.find('{'), std::string::npos) << loose.text;
        EXPECT_LE(loose.flaws.size(), 1u);
        EXPECT_GE(loose.left_out, 0);
        for (const Flaw& flaw : loose.flaws) {
          ++wrong;
          EXPECT_NE(flaw.said, flaw.truth);
          EXPECT_NE(loose.text.find(flaw.kind == "object" && language == Language::english
                                        ? flaw.said.substr(flaw.said.rfind(' ') + 1)
                                    : flaw.kind == "object" ? ""
                                                            : flaw.said),
                    std::string::npos)
              << loose.text << " lacks " << flaw.said;
        }
      }
    }
    EXPECT_NEAR(wrong / 3000.0, rate, 0.03);
  }
}

TEST(LooseWords, FlawedDescriptionsOmitAndInventAtTheirRates) {
  std::int64_t events = 0, left_out = 0, invented = 0;
  for (std::uint64_t index = 0; index < 1000; ++index) {
    const Clip clip = clip_at(index);
    for (const Language language : kLanguages) {
      Random random({index, static_cast<std::uint64_t>(language)});
      const LooseText flawed = flawed_description(clip, language, random, {0.3, 0.2});
      const ParsedScene parsed = parse_description(flawed.text, language);
      EXPECT_EQ(parsed.unparsed, 0) << flawed.text;
      EXPECT_EQ(parsed.opening.size(), clip.opening.size());
      EXPECT_EQ(
          static_cast<std::int64_t>(parsed.events.size()),
          static_cast<std::int64_t>(clip.events.size() + flawed.flaws.size()) - flawed.left_out)
          << flawed.text;
      for (const Flaw& flaw : flawed.flaws) EXPECT_NE(flaw.said, flaw.truth);
      if (clip.events.size() < 2) continue;  // one always stays
      events += static_cast<std::int64_t>(clip.events.size());
      left_out += flawed.left_out;
      invented += static_cast<std::int64_t>(flawed.flaws.size());
    }
  }
  EXPECT_NEAR(static_cast<double>(left_out) / static_cast<double>(events), 0.3, 0.04);
  EXPECT_NEAR(static_cast<double>(invented) / static_cast<double>(events), 0.2, 0.02);
}

TEST(LooseWords, WithoutFlawsADescriptionIsWhole) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    const Clip clip = clip_at(index);
    Random a({index}), b({index});
    const LooseText flawed = flawed_description(clip, Language::english, a, {0, 0});
    const ParsedScene parsed = parse_description(flawed.text, Language::english),
                      whole = parse_description(describe(clip, Language::english, b),
                                                Language::english);
    EXPECT_TRUE(flawed.flaws.empty());
    EXPECT_EQ(parsed.events, whole.events);
  }
}

TEST(LooseWords, FlawedDescriptionsOmitAndInventSounds) {
  std::int64_t sounds = 0, told = 0, invented = 0;
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Clip clip = heard_clip(index);
    for (const Language language : kLanguages) {
      Random random({index, static_cast<std::uint64_t>(language)});
      const LooseText flawed = flawed_description(clip, language, random, {0.3, 0.2});
      const ParsedScene parsed = parse_description(flawed.text, language);
      EXPECT_EQ(parsed.unparsed, 0) << flawed.text;
      EXPECT_EQ(
          static_cast<std::int64_t>(parsed.events.size()),
          static_cast<std::int64_t>(clip.events.size() + clip.sounds.size() + flawed.flaws.size()) -
              flawed.left_out)
          << flawed.text;
      sounds += static_cast<std::int64_t>(clip.sounds.size());
      for (const ParsedEvent& event : parsed.events) told += event.sound ? 1 : 0;
      const std::vector<ParsedEvent> truths = told_events(clip);
      for (const Flaw& flaw : flawed.flaws) {
        EXPECT_NE(flaw.said, flaw.truth);
        if (flaw.kind != "sound") continue;
        ++invented;
        const std::vector<ParsedEvent> said = parse_description(flaw.said, language).events;
        ASSERT_EQ(said.size(), 1u) << flaw.said;
        EXPECT_TRUE(said[0].sound);
        for (const ParsedEvent& truth : truths) EXPECT_FALSE(same_event(truth, said[0]));
      }
    }
  }
  EXPECT_NEAR(static_cast<double>(invented) / static_cast<double>(sounds), 0.2, 0.03);
  EXPECT_NEAR(static_cast<double>(told - invented) / static_cast<double>(sounds), 0.7, 0.03);
}

TEST(LooseWords, OtherLooseTextsAreOfWhatIsSeen) {
  for (std::uint64_t index = 0; index < 100; ++index) {
    Clip heard = heard_clip(index), silent = heard;
    silent.sounds.clear();
    const std::vector<double> seconds = sampled_seconds(heard, 8);
    for (const Language language : kLanguages) {
      Random a({index}), b({index});
      EXPECT_EQ(web_caption(heard, language, a, {}).text,
                web_caption(silent, language, b, {}).text);
      EXPECT_EQ(drifting_commentary(heard, seconds, language, a, {}).text,
                drifting_commentary(silent, seconds, language, b, {}).text);
      EXPECT_EQ(short_caption(heard, language, a), short_caption(silent, language, b));
    }
  }
}

TEST(LooseWords, CaptionsLeaveThingsOut) {
  std::int64_t with = 0, without = 0;
  for (std::uint64_t index = 0; index < 300; ++index) {
    const Clip clip = clip_at(index);
    Random a({index}), b({index});
    with += web_caption(clip, Language::english, a, {.leave_out = 0}).left_out;
    without += web_caption(clip, Language::english, b, {.leave_out = 1}).left_out;
  }
  EXPECT_LT(with, without);
}

TEST(LooseWords, CommentaryHasTheRightEventsAtShiftedTimes) {
  std::int64_t shifted = 0;
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Clip clip = clip_at(index);
    const std::vector<double> seconds = sampled_seconds(clip, 16);
    for (const Language language : kLanguages) {
      Random random({index});
      const LooseText loose =
          drifting_commentary(clip, seconds, language, random, {.leave_out = 0});
      const ParsedScene parsed = parse_description(loose.text, language);
      ASSERT_EQ(parsed.events.size(), clip.events.size()) << loose.text;
      EXPECT_EQ(parsed.unparsed, 0);
      EXPECT_EQ(loose.left_out, static_cast<std::int64_t>(clip.opening.size()));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < clip.events.size(); ++i) {
        const FrameInterval said{parsed.events[i].first_frame, parsed.events[i].last_frame};
        EXPECT_EQ(parsed.events[i].kind, clip.events[i].kind);
        wrong += said != frame_interval(clip.events[i], seconds) ? 1 : 0;
      }
      EXPECT_EQ(wrong, loose.flaws.size());
      shifted += static_cast<std::int64_t>(wrong);
    }
  }
  EXPECT_GT(shifted, 1000);
  const Clip clip = clip_at(0);
  Random random({1});
  EXPECT_TRUE(drifting_commentary(clip, sampled_seconds(clip, 8), Language::english, random,
                                  {.seconds = 0, .jitter = 0})
                  .flaws.empty());
}

}  // namespace
}  // namespace tarsier
