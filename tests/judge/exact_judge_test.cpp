// The exact judges count what WorldScorer counts, over true and disturbed descriptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/judge/autodq.h"
#include "tarsier/judge/caption_error.h"
#include "tarsier/judge/exact_caption_judge.h"
#include "tarsier/judge/exact_event_judge.h"
#include "tarsier/synth/claims.h"
#include "tarsier/synth/event_match.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/sound_claims.h"
#include "tarsier/synth/world_score.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array kLevels = {"easy", "base", "rich", "av"};

/// A description with events and sounds left out, told twice, turned around and made up, and with
/// sentences outside the grammar.
std::string disturbed(const Clip& clip, Language language, Random& random) {
  std::vector<Event> events;
  for (const Event& event : clip.events) {
    const std::int64_t choice = random.integer(0, 5);
    if (choice == 0) continue;
    events.push_back(choice == 1   ? false_claim(clip, event, true, random)
                     : choice == 2 ? false_claim(clip, event, false, random)
                                   : event);
    if (choice == 3) events.push_back(events.back());
  }
  random.shuffle(events);
  std::vector<ClipSound> sounds;
  for (const ClipSound& sound : clip.sounds) {
    const std::int64_t choice = random.integer(0, 5);
    if (choice == 0) continue;
    sounds.push_back(choice == 1 ? false_sound(clip, sound, random) : sound);
    if (choice == 2) sounds.back().event = -1;  // its event is not said
    if (choice == 3) sounds.push_back(sounds.back());
  }
  random.shuffle(sounds);
  std::string text = describe_told(clip, events, sounds, language, random);
  if (random.chance(0.3)) text += language == Language::chinese ? "下雨了。" : " It rains.";
  if (random.chance(0.1)) text += " <frame: 2-1>?";
  return text;
}

AutoDqScore exact_score(const std::string& reference, const std::string& text, Language language) {
  ExactEventJudge judge(language);
  return std::get<AutoDqScore>(autodq_score(judge, reference, text));
}

TEST(ExactJudge, CountsWhatWorldScorerCounts) {
  std::int64_t hits = 0, unparsed = 0, imperfect = 0, sounds = 0;
  for (std::uint64_t index = 0; index < 1500; ++index) {
    const Language language = kLanguages[index % kLanguages.size()];
    const Clip clip = make_clip(level_named(kLevels[index % 7 % 4]), Split::validation, 3, index);
    Random random({index, 0xd1});
    const std::string reference = describe(clip, language, random);
    const std::string text = disturbed(clip, language, random);
    SCOPED_TRACE(reference + "\n" + text);
    const ParsedScene parsed = parse_description(text, language);
    WorldScorer scorer;
    scorer.add_description(clip, parsed);
    const WorldScores truth = scorer.scores();

    const AutoDqScore score = exact_score(reference, text, language);
    const auto true_events = static_cast<std::int64_t>(clip.events.size() + clip.sounds.size());
    const auto claimed = static_cast<std::int64_t>(parsed.events.size());
    ASSERT_EQ(score.recall.total, true_events);
    ASSERT_EQ(score.precision.total, claimed);
    ASSERT_EQ(score.recall.hits, score.precision.hits);
    const auto share = [&](std::int64_t total) {
      return total == 0 ? 0 : static_cast<double>(score.recall.hits) / static_cast<double>(total);
    };
    ASSERT_EQ(truth.event_recall, share(true_events));
    ASSERT_EQ(truth.event_precision, share(claimed));
    ASSERT_EQ(score.sentences, parsed.sentences);
    ASSERT_EQ(score.unparsed, parsed.unparsed);

    std::vector<std::string> events;
    for (const ParsedEvent& event : told_events(clip))
      events.push_back(told_clause(event, language));
    ExactCaptionJudge captions(language);
    const auto errors = std::get<CaptionErrors>(caption_errors(captions, events, text));
    ASSERT_EQ(errors.events, true_events);
    ASSERT_EQ(errors.incorrect, 0);
    ASSERT_EQ(truth.miss, static_cast<double>(errors.missed) / static_cast<double>(true_events));
    ASSERT_EQ(truth.hallucination,
              static_cast<double>(errors.hallucinated) / static_cast<double>(true_events));
    ASSERT_EQ(errors.missed_events.size(), static_cast<std::size_t>(errors.missed));

    hits += score.recall.hits;
    sounds += truth.sounds;
    unparsed += score.unparsed;
    imperfect += score.recall.hits < true_events ? 1 : 0;
  }
  EXPECT_GT(hits, 1000);
  EXPECT_GT(unparsed, 300);
  EXPECT_GT(imperfect, 500);
  EXPECT_GT(sounds, 300);
}

TEST(ExactJudge, EventsComeOutAsSentencesThatReadBackTheSame) {
  for (std::uint64_t index = 0; index < 600; ++index) {
    const Language language = kLanguages[index % kLanguages.size()];
    const Clip clip =
        make_clip(level_named(index % 2 == 0 ? "rich" : "av"), Split::validation, 4, index);
    Random random({index});
    const std::string text = describe(clip, language, random);
    const std::vector<ParsedEvent> events = parse_description(text, language).events;
    ExactEventJudge judge(language);
    const auto told = std::get<Extraction>(judge.extract(text, {})).events;
    ASSERT_EQ(told.size(), events.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
      const std::vector<ParsedEvent> again = parse_description(told[i], language).events;
      ASSERT_EQ(again.size(), 1u) << told[i];
      EXPECT_TRUE(same_event(again[0], events[i])) << told[i];
    }
  }
}

TEST(ExactJudge, TakesGivenEvents) {
  ExactEventJudge judge(Language::english);
  const auto outcome = autodq_score(
      judge, "unread", "The red circle hops. The red circle hops. Then the blue star spins.",
      std::vector<std::string>{"the red circle jumps", "The red circle moves left."});
  const auto& score = std::get<AutoDqScore>(outcome);
  EXPECT_EQ(score.recall, (HitCount{1, 2}));
  EXPECT_EQ(score.precision, (HitCount{0, 3})) << "the reference tells nothing";
  EXPECT_THAT(score.reference_events,
              ElementsAre(LabelledEvent{"the red circle jumps", EventLabel::entailment},
                          LabelledEvent{"The red circle moves left.", EventLabel::neutral}));
}

TEST(ExactJudge, WithoutEventsASideIsOne) {
  const AutoDqScore score =
      exact_score("The red circle jumps.", "Nothing I know of.", Language::english);
  EXPECT_EQ(score.recall, (HitCount{0, 1}));
  EXPECT_EQ(score.precision, (HitCount{0, 0}));
  EXPECT_EQ(score.precision.share(), 1);
  EXPECT_EQ(score.unparsed, 1);
}

TEST(ExactJudge, RefusesEventsOfAnotherWorld) {
  ExactEventJudge judge(Language::english);
  for (const char* event : {"A dog barks.", "", "The red circle jumps. The red circle spins.",
                            "On a gray background, there is a small red circle at the top left."})
    EXPECT_THROW(autodq_score(judge, "x", "y", std::vector<std::string>{event}), InputError)
        << event;
  EXPECT_EQ(judge.id(), "exact, english");
  EXPECT_EQ(judge.prompt().text(), "moving-shapes grammar");
}

TEST(ExactCaptionJudge, ListsWhatItCounts) {
  ExactCaptionJudge judge(Language::english);
  const auto errors = std::get<CaptionErrors>(caption_errors(
      judge, {"the red circle jumps", "the blue star spins"},
      "The blue star rotates. The blue star rotates. The red circle grows. It rains."));
  EXPECT_EQ(errors.missed, 1);
  EXPECT_EQ(errors.hallucinated, 2);
  EXPECT_THAT(errors.missed_events, ElementsAre("the red circle jumps"));
  EXPECT_THAT(errors.hallucinated_events,
              ElementsAre("The blue star spins.", "The red circle grows."));
  EXPECT_THAT(errors.incorrect_events, IsEmpty());
}

}  // namespace
}  // namespace tarsier
