// Every language reads back every template of its own, at every level.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/synth/claims.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/world_score.h"

namespace tarsier {
namespace {

Look name_only(const Look& look) {
  return {.shape = look.shape, .colour = look.colour, .count = is_group(look) ? 0 : 1};
}

// What a perfect parse of an event is.
ParsedEvent expected(const Event& event, FrameInterval frames) {
  ParsedEvent parsed{.kind = event.kind, .first_frame = frames.first, .last_frame = frames.last};
  if (event.kind != EventKind::cut) {
    parsed.actor = event.kind == EventKind::appear ? event.actor : name_only(event.actor);
  }
  if (has_partner(event.kind)) parsed.partner = name_only(event.partner);
  if (has_direction(event.kind)) parsed.direction = event.direction;
  if (event.kind == EventKind::recolour) parsed.to_colour = event.to_colour;
  if (event.kind == EventKind::recount) parsed.to_count = event.to_count;
  if (event.kind == EventKind::cut) parsed.to_background = event.to_background;
  return parsed;
}

void expect_inverse(const Clip& clip, const std::string& text, Language language,
                    const std::vector<double>* seconds) {
  SCOPED_TRACE(text);
  const ParsedScene parsed = parse_description(text, language);
  EXPECT_EQ(parsed.unparsed, 0);
  EXPECT_EQ(parsed.opening, clip.opening);
  EXPECT_EQ(parsed.background, clip.background);
  std::vector<ParsedEvent> seen;  // the sounds are in sound_words_test.cpp
  std::copy_if(parsed.events.begin(), parsed.events.end(), std::back_inserter(seen),
               [](const ParsedEvent& event) { return !event.sound; });
  ASSERT_EQ(seen.size(), clip.events.size());
  for (std::size_t i = 0; i < clip.events.size(); ++i) {
    const FrameInterval frames =
        seconds == nullptr ? FrameInterval{} : frame_interval(clip.events[i], *seconds);
    EXPECT_EQ(seen[i], expected(clip.events[i], frames)) << event_clause(clip.events[i], language);
  }
}

TEST(Languages, ReadBackWhatTheySay) {
  for (const std::string& name : level_names()) {
    const Level& level = level_named(name);
    for (std::uint64_t index = 0; index < 2000 && !testing::Test::HasFailure(); ++index) {
      const bool unseen = index % 10 == 9;
      const Clip clip =
          make_clip(level, unseen ? Split::test : Split::validation, 9, index, {.unseen = unseen});
      const std::vector<double> seconds = sampled_seconds(clip, level.frames);
      Random random({index});
      for (const Language language : kLanguages) {
        expect_inverse(clip, describe(clip, language, random), language, nullptr);
        expect_inverse(clip, describe_with_intervals(clip, seconds, language, random), language,
                       &seconds);
      }
    }
  }
}

TEST(Languages, SayEveryEventInTwoWaysOfItsOwn) {
  for (const Language language : kLanguages) {
    std::set<std::string> clauses;
    for (std::uint64_t index = 0; index < 3000; ++index) {
      const Clip clip = make_clip(level_named("rich"), Split::train, 2, index);
      Random random({index});
      for (const Event& event : clip.events) clauses.insert(any_clause(event, language, random));
    }
    for (const std::string& clause : clauses) {
      const ParsedScene parsed = parse_description(as_sentence(clause, language), language);
      EXPECT_EQ(parsed.events.size(), 1u) << clause;
    }
    for (const auto& ways : table(language).events) EXPECT_GE(ways.size(), 2u);
  }
}

TEST(Languages, PerfectDescriptionsScoreOneWhereEventsOverlap) {
  for (const Language language : kLanguages) {
    WorldScorer scorer;
    for (std::uint64_t index = 0; index < 200; ++index) {
      const Clip clip = make_clip(level_named("rich"), Split::validation, 1, index);
      const std::vector<double> seconds = sampled_seconds(clip, 16);
      Random random({index});
      scorer.add_description(clip, parse_description(describe(clip, language, random), language));
      scorer.add_intervals(
          clip, seconds,
          parse_description(describe_with_intervals(clip, seconds, language, random), language));
    }
    const WorldScores scores = scorer.scores();
    for (const double one : {scores.event_f1, scores.order, scores.scene_f1, scores.interval_exact})
      EXPECT_EQ(one, 1);
    EXPECT_EQ(scores.unparsed, 0);
  }
}

TEST(Languages, SpanishAgrees) {
  const ParsedScene parsed = parse_description(
      "Sobre un fondo gris, hay una estrella roja pequeña arriba a la izquierda y un grupo de "
      "tres cruces moradas pequeñas en el centro. La estrella roja choca con el grupo de cruces "
      "moradas. Mientras tanto, el fondo se vuelve rosa. Luego la estrella roja se vuelve "
      "amarilla. El grupo de cruces moradas se vuelve amarillo.",
      Language::spanish);
  EXPECT_EQ(parsed.unparsed, 0);
  ASSERT_EQ(parsed.events.size(), 4u);
  EXPECT_THAT(parsed.opening,
              testing::ElementsAre(Look{Shape::star, Colour::red, ShapeSize::small, 0},
                                   Look{Shape::cross, Colour::purple, ShapeSize::small, 4, 3}));
  EXPECT_EQ(parsed.events[0].partner,
            (Look{.shape = Shape::cross, .colour = Colour::purple, .count = 0}));
  EXPECT_EQ(parsed.events[3].to_colour, Colour::yellow);
  const auto unparsed = [](std::string_view text) {
    return parse_description(text, Language::spanish).unparsed;
  };
  EXPECT_EQ(unparsed("La estrella rojo salta."), 1);
  EXPECT_EQ(unparsed("El estrella roja salta."), 1);
  EXPECT_EQ(unparsed("The red star jumps."), 1);
}

TEST(Languages, ReadNewEventsByHand) {
  const ParsedScene parsed = parse_description(
      "The red circle follows the blue star left. Meanwhile, the group of cyan rings now has four "
      "members. The green figure strolls right. The red circle hits the top edge and comes back.",
      Language::english);
  EXPECT_EQ(parsed.unparsed, 0);
  ASSERT_EQ(parsed.events.size(), 4u);
  EXPECT_EQ(parsed.events[0].kind, EventKind::follow);
  EXPECT_EQ(parsed.events[0].direction, Direction::left);
  EXPECT_EQ(parsed.events[1].to_count, 4);
  EXPECT_TRUE(is_group(parsed.events[1].actor));
  EXPECT_EQ(parsed.events[2].kind, EventKind::walk);
  EXPECT_EQ(parsed.events[3].direction, Direction::up);
}

TEST(Languages, AreFoundByName) {
  EXPECT_EQ(language_named("spanish"), Language::spanish);
  try {
    language_named("latin");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "language: no language is named 'latin'; use english, chinese or spanish");
  }
}

// A group's name is not a single object's, an actor is not a partner, and order is by start.
TEST(Languages, ScoresTellNewArgumentsApart) {
  const Look circle{Shape::circle, Colour::red, ShapeSize::small, 0};
  const Look rings{Shape::ring, Colour::cyan, ShapeSize::small, 4, 3};
  Event touch{.kind = EventKind::touch, .start = 1, .end = 3, .object = 0, .other = 1};
  touch.actor = circle;
  touch.partner = rings;
  Event recount{.kind = EventKind::recount, .start = 4, .end = 6, .object = 1};
  recount.to_count = 5;
  recount.actor = rings;
  Clip clip{.level = "rich", .seconds = 8, .opening = {}, .objects = {}, .events = {}};
  clip.opening = {circle, rings};
  clip.objects = {{.look = circle}, {.look = rings}};
  clip.events = {touch, recount};
  const auto score = [&](const char* text) {
    WorldScorer scorer;
    scorer.add_description(clip, parse_description(text, Language::english));
    return scorer.scores();
  };
  EXPECT_EQ(score("The red circle bumps into the group of cyan rings. The group of cyan rings "
                  "changes to five.")
                .event_f1,
            1);
  EXPECT_EQ(score("The red circle touches the cyan ring. The group of cyan rings changes to four.")
                .event_f1,
            0);
  EXPECT_EQ(score("The group of cyan rings touches the red circle.").event_f1, 0);
  EXPECT_EQ(score("The group of cyan rings changes to five. The red circle touches the group of "
                  "cyan rings.")
                .order,
            0.5);
}

}  // namespace
}  // namespace tarsier
