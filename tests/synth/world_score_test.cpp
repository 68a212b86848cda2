#include "tarsier/synth/world_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

// Opening: small red circle top left, big orange star center. The circle moves right, the star
// jumps, they swap.
Clip small_clip() {
  const Look circle{Shape::circle, Colour::red, ShapeSize::small, 0};
  const Look star{Shape::star, Colour::orange, ShapeSize::big, 4};
  Event move{
      .kind = EventKind::move, .start = 1, .end = 2.6, .object = 0, .direction = Direction::right};
  move.actor = circle;
  Event jump{.kind = EventKind::jump, .start = 3, .end = 4.6, .object = 1};
  jump.actor = star;
  Event swap{.kind = EventKind::swap, .start = 5, .end = 6.6, .object = 0, .other = 1};
  swap.actor = circle;
  swap.partner = star;
  return {.level = "base",
          .seconds = 8,
          .background = Background::gray,
          .opening = {circle, star},
          .objects = {{.look = circle}, {.look = star}},
          .events = {move, jump, swap}};
}

WorldScores score(const std::string& text) {
  WorldScorer scorer;
  scorer.add_description(small_clip(), parse_description(text, Language::english));
  return scorer.scores();
}

TEST(WorldScore, PerfectDescriptionsScoreOne) {
  WorldScorer scorer;
  for (std::uint64_t index = 0; index < 200; ++index) {
    const Clip clip = make_clip(level_named("base"), Split::validation, 1, index);
    const std::vector<double> seconds = sampled_seconds(clip, 8);
    Random random({index});
    const Language language = index % 2 == 0 ? Language::english : Language::chinese;
    scorer.add_description(clip, parse_description(describe(clip, language, random), language));
    scorer.add_intervals(
        clip, seconds,
        parse_description(describe_with_intervals(clip, seconds, language, random), language));
  }
  const WorldScores scores = scorer.scores();
  for (const double one :
       {scores.event_precision, scores.event_recall, scores.event_f1, scores.order, scores.scene_f1,
        scores.interval_iou, scores.interval_exact}) {
    EXPECT_EQ(one, 1);
  }
  for (const double zero : {scores.miss, scores.hallucination, scores.total, scores.unparsed})
    EXPECT_EQ(zero, 0);
  EXPECT_EQ(scores.clips, 200);
}

TEST(WorldScore, CountsMatchesByKindObjectAndArgument) {
  // Right: the jump. Wrong: direction, an invented spin, a missing swap, one sentence outside the
  // grammar.
  const WorldScores scores = score(
      "On a gray background, there is a small red circle at the top left. The red circle moves "
      "left. "
      "The orange star jumps. The orange star spins. It rains.");
  EXPECT_DOUBLE_EQ(scores.event_precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.event_recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.event_f1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.order, 1);
  EXPECT_DOUBLE_EQ(scores.scene_f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.miss, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.hallucination, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.total, 4.0 / 3);
  EXPECT_DOUBLE_EQ(scores.unparsed, 1.0 / 5);
}

TEST(WorldScore, MatchesOneToOneAndSwapsEitherWayRound) {
  const WorldScores scores = score(
      "The orange star jumps. The orange star jumps. The orange star swaps places with the red "
      "circle.");
  EXPECT_DOUBLE_EQ(scores.event_precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.event_recall, 2.0 / 3);
}

TEST(WorldScore, OrderIsTheShareThatStaysInOrder) {
  const WorldScores scores = score(
      "The red circle and the orange star swap places. The red circle moves right. The orange star "
      "jumps.");
  EXPECT_DOUBLE_EQ(scores.event_f1, 1);
  EXPECT_DOUBLE_EQ(scores.order, 2.0 / 3);
}

TEST(WorldScore, SceneObjectsNeedEveryAttribute) {
  EXPECT_DOUBLE_EQ(score("The background is gray, with a big red circle at the top left and a big "
                         "orange star in the "
                         "center.")
                       .scene_f1,
                   0.5);
}

// An unseen clip has one object of a held-out pair among ordinary ones, which flatter its F1.
TEST(WorldScore, HeldOutObjectsAreCountedApart) {
  WorldScorer told, silent;
  for (std::uint64_t index = 0; index < 20; ++index) {
    const Clip clip = make_clip(level_named("base"), Split::test, 1, index, {true});
    ParsedScene all, ordinary;
    for (const Look& look : clip.opening) {
      all.opening.push_back(look);
      if (!is_held_out(look.colour, look.shape)) ordinary.opening.push_back(look);
    }
    told.add_description(clip, all);
    silent.add_description(clip, index == 0 ? all : ordinary);
  }
  EXPECT_EQ(told.scores().held_out_recall, 1);
  EXPECT_DOUBLE_EQ(silent.scores().held_out_recall, 1.0 / 20);
  EXPECT_GT(silent.scores().scene_f1, 0.5);
}

TEST(WorldScore, AnAppearingObjectNeedsSizeAndPlace) {
  Clip clip = small_clip();
  clip.events = {{.kind = EventKind::appear, .start = 1, .end = 3, .object = 2}};
  clip.events[0].actor = {Shape::ring, Colour::green, ShapeSize::big, 8};
  for (const auto& [text, f1] : {std::pair{"A big green ring appears at the bottom right.", 1.0},
                                 {"A big green ring appears at the bottom.", 0.0},
                                 {"A small green ring appears at the bottom right.", 0.0}}) {
    WorldScorer scorer;
    scorer.add_description(clip, parse_description(text, Language::english));
    EXPECT_EQ(scorer.scores().event_f1, f1) << text;
  }
}

TEST(WorldScore, IntervalsOfMatchedEventsOnly) {
  const std::vector<double> seconds = {0, 1, 2, 3, 4, 5, 6, 7};  // truth: 2-4, 4-6, 6-8
  WorldScorer scorer;
  scorer.add_intervals(
      small_clip(), seconds,
      parse_description("<frame: 2-4>The red circle moves right.<frame: 5-6>The orange star jumps."
                        "<frame: 1-8>The red circle spins.",
                        Language::english));
  EXPECT_DOUBLE_EQ(scorer.scores().interval_iou, (1 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(scorer.scores().interval_exact, 0.5);
  scorer.add_intervals(small_clip(), seconds,
                       parse_description("The red circle moves right.", Language::english));
  EXPECT_DOUBLE_EQ(scorer.scores().interval_exact, 1.0 / 3);
  EXPECT_EQ(interval_iou({0, 1}, {2, 3}), 0);
  EXPECT_EQ(interval_iou({0, 3}, {2, 2}), 0.25);
  EXPECT_EQ(interval_iou({-1, -1}, {-1, -1}), 0);
}

TEST(WorldScore, AnswersByKind) {
  WorldScorer scorer;
  scorer.add_answer("colour", "red", " Red.\n");
  scorer.add_answer("colour", "red", "blue");
  scorer.add_answer("count", "2", "2");
  scorer.add_answer("is_there", "yes", "yes");
  scorer.add_answer("does_it", "no", "yes");
  scorer.add_answer("before", "否", "否。");
  const WorldScores scores = scorer.scores();
  EXPECT_DOUBLE_EQ(scores.qa, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.probes, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.probe_yes_rate, 2.0 / 3);
  EXPECT_THAT(scores.qa_by_kind,
              testing::ElementsAre(std::pair("before", 1.0), std::pair("colour", 0.5),
                                   std::pair("count", 1.0), std::pair("does_it", 0.0),
                                   std::pair("is_there", 1.0)));
}

TEST(WorldScore, NothingIsDefined) {
  const WorldScores scores = WorldScorer().scores();
  EXPECT_EQ(scores.event_f1, 1);
  EXPECT_EQ(scores.event_precision, 0);
  EXPECT_EQ(scores.order, 0);
  EXPECT_EQ(scores.unparsed, 0);
  EXPECT_EQ(score("").event_f1, 0);
}

TEST(WorldScore, JsonHasTheAgreedKeys) {
  const nlohmann::json json = world_scores_json({}, {}, 9, "tarsier-nano");
  for (const char* key : {"event_precision",
                          "event_recall",
                          "event_f1",
                          "order",
                          "scene_f1",
                          "interval_iou",
                          "interval_exact",
                          "qa",
                          "probes",
                          "qa_by_kind",
                          "miss",
                          "hallucination",
                          "total",
                          "unparsed",
                          "unseen_event_f1",
                          "unseen_scene_f1",
                          "unseen_object_recall",
                          "clips",
                          "seed",
                          "model"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_TRUE(json["qa_by_kind"].is_object());
  EXPECT_EQ(json["model"], "tarsier-nano");
}

}  // namespace
}  // namespace tarsier
