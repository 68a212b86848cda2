#include "tarsier/synth/sounds.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "tarsier/synth/scene.h"
#include "tarsier/synth/sound_claims.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

std::int64_t frame_of(double seconds) { return std::llround(seconds * kFramesPerSecond); }

TEST(Sounds, ComeInTheirRangesAndNeverTwoAtOnce) {
  std::array<int, kSoundKinds> kinds{};
  std::set<std::size_t> counts;
  int tied = 0, all = 0;
  for (std::uint64_t index = 0; index < 3000 && !HasFailure(); ++index) {
    SCOPED_TRACE(index);
    const Clip clip = make_clip(level_named("av"), Split::train, 7, index);
    EXPECT_EQ(clip, make_clip(level_named("av"), Split::train, 7, index));
    counts.insert(clip.sounds.size());
    std::set<int> events;
    for (std::size_t i = 0; i < clip.sounds.size(); ++i) {
      const ClipSound& sound = clip.sounds[i];
      ++kinds[static_cast<std::size_t>(sound.kind)];
      ++all;
      for (const double seconds : {sound.start, sound.end})
        EXPECT_NEAR(seconds * 25, std::round(seconds * 25), 1e-9);
      EXPECT_GE(sound.start, 0);
      EXPECT_LT(sound.start, sound.end);
      EXPECT_LE(sound.end, clip.seconds);
      EXPECT_TRUE(i == 0 || sound.start >= clip.sounds[i - 1].end + 0.3);
      const std::int64_t length = frame_of(sound.end) - frame_of(sound.start);
      if (beeps_in(sound.kind) > 0) {
        EXPECT_EQ(length % (2 * beeps_in(sound.kind) - 1), 0);
      } else if (sound.kind == SoundKind::click) {
        EXPECT_EQ(length, 1);
      } else {
        EXPECT_GE(length, 10);
        EXPECT_LE(length, 30);
      }
      EXPECT_GT(sound.hertz, 200);
      EXPECT_EQ(sound.to_hertz > sound.hertz, sound.kind == SoundKind::rising_sweep);
      EXPECT_EQ(sound.to_hertz < sound.hertz, sound.kind == SoundKind::falling_sweep);
      if (sound.event >= 0) {
        ++tied;
        EXPECT_TRUE(events.insert(sound.event).second) << "an event has one sound";
        EXPECT_EQ(event_of(clip, sound)->start, sound.start);
      } else {
        EXPECT_EQ(event_of(clip, sound), nullptr);
        for (const Event& event : clip.events) EXPECT_GE(std::abs(event.start - sound.start), 0.5);
      }
    }
  }
  EXPECT_EQ(counts, (std::set<std::size_t>{1, 2, 3}));
  for (const int count : kinds) EXPECT_GT(count, 300);
  EXPECT_GT(tied, all / 3);
  EXPECT_LT(tied, all / 2);
}

TEST(Sounds, LeaveWhatIsSeenAsItIs) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    for (const bool unseen : {false, true}) {
      const Split split = unseen ? Split::test : Split::train;
      Clip heard = make_clip(level_named("av"), split, 7, index, {.unseen = unseen});
      const Clip silent = make_clip(level_named("base"), split, 7, index, {.unseen = unseen});
      EXPECT_TRUE(silent.sounds.empty());
      EXPECT_FALSE(heard.sounds.empty());
      heard.sounds.clear();
      heard.level = "base";
      EXPECT_EQ(heard, silent);
    }
  }
}

TEST(Sounds, StandAmongTheEventsByTime) {
  const std::vector<Event> events = {{.start = 1, .end = 2}, {.start = 4, .end = 5}};
  const std::vector<ClipSound> sounds = {
      {.start = 1, .end = 1.4}, {.start = 3, .end = 3.4}, {.start = 6, .end = 6.4}};
  const std::vector<Happening> all = happenings(events, sounds);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].event, &events[0]);
  EXPECT_EQ(all[1].sound, &sounds[0]);  // behind the event that it starts with
  EXPECT_EQ(all[2].sound, &sounds[1]);
  EXPECT_EQ(all[3].event, &events[1]);
  EXPECT_EQ(all[4].sound, &sounds[2]);
  EXPECT_EQ(all[4].end, 6.4);
  EXPECT_TRUE(happenings({}, {}).empty());
}

TEST(SoundClaims, FalseOnesAreFalseAndNear) {
  int near_kind = 0, other_event = 0;
  for (std::uint64_t index = 0; index < 1000; ++index) {
    const Clip clip = make_clip(level_named("av"), Split::train, 2, index);
    Random random({index});
    for (const ClipSound& truth : clip.sounds) {
      const ClipSound claim = false_sound(clip, truth, random);
      EXPECT_TRUE(claim.kind == truth.kind || claim.event == truth.event);
      if (claim.event < 0) {
        EXPECT_FALSE(is_heard(clip, claim.kind));
      } else {
        EXPECT_FALSE(is_heard_during(clip, claim.kind, *event_of(clip, claim)));
        EXPECT_EQ(claim.event == truth.event ? claim.start : event_of(clip, claim)->start,
                  claim.start);
      }
      near_kind += is_near(claim.kind, truth.kind) ? 1 : 0;
      other_event += claim.event != truth.event ? 1 : 0;
      for (const bool near : {true, false})
        EXPECT_FALSE(is_heard(clip, false_kind(clip, truth.kind, near, random)));
    }
  }
  EXPECT_GT(near_kind, 400);
  EXPECT_GT(other_event, 400);
}

TEST(Sounds, APitchGoesEvenlyFromItsStartToItsEnd) {
  const ClipSound sweep{
      .kind = SoundKind::rising_sweep, .start = 2, .end = 3, .hertz = 300, .to_hertz = 1500};
  EXPECT_DOUBLE_EQ(hertz_at(sweep, 2), 300);
  EXPECT_DOUBLE_EQ(hertz_at(sweep, 2.25), 600);
  EXPECT_DOUBLE_EQ(hertz_at(sweep, 3), 1500);
}

TEST(Sounds, BeepsBeginAfterSilencesAsLongAsTheyAre) {
  const ClipSound beeps{.kind = SoundKind::three_beeps, .start = 1, .end = 1.6};
  const std::vector<double> starts = beep_starts(beeps);
  ASSERT_EQ(starts.size(), 3U);
  EXPECT_NEAR(starts[0], 1, 1e-12);
  EXPECT_NEAR(starts[1], 1.24, 1e-12);
  EXPECT_NEAR(starts[2], 1.48, 1e-12);
  EXPECT_TRUE(beep_starts({.kind = SoundKind::click, .start = 1, .end = 1.04}).empty());
}

}  // namespace
}  // namespace tarsier
