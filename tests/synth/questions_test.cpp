#include "tarsier/synth/questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

const Look kCircle{Shape::circle, Colour::red, ShapeSize::small, 0};
const Look kStar{Shape::star, Colour::orange, ShapeSize::big, 4};

Clip small_clip() {
  Event move{
      .kind = EventKind::move, .start = 1, .end = 2.6, .object = 0, .direction = Direction::right};
  move.actor = kCircle;
  Event jump{.kind = EventKind::jump, .start = 4, .end = 5.6, .object = 1};
  jump.actor = kStar;
  return {.level = "base",
          .seconds = 8,
          .background = Background::gray,
          .opening = {kCircle, kStar},
          .objects = {{.look = kCircle}, {.look = kStar}},
          .events = {move, jump}};
}

std::vector<Question> ask(const Clip& clip, Language language, std::uint64_t key) {
  Random random({key});
  return make_questions(clip, sampled_seconds(clip, 8), language, random);
}

TEST(Questions, AnswersByHand) {
  std::map<std::string, std::string> answers;
  for (std::uint64_t key = 0; key < 200; ++key) {
    for (const Question& question : ask(small_clip(), Language::english, key)) {
      if (question.kind == "choice") continue;
      const auto [at, fresh] = answers.emplace(question.question, question.answer);
      EXPECT_EQ(at->second, question.answer) << question.question;
    }
  }
  const std::map<std::string, std::string> some = {
      {"What color is the circle at the start?", "red"},
      {"What shape is the orange object at the start?", "star"},
      {"How many objects are there at the start?", "2"},
      {"Where is the red circle at the start?", "top left"},
      {"Where is the red circle at the end?", "top"},
      {"What color is the background at the end?", "gray"},
      {"Which happens first: the orange star jumps or the red circle moves right?",
       "the red circle moves right"},
      {"What happens right after the red circle moves right?", "the orange star jumps"},
      {"How many times does an object jump?", "1"},
      {"How many times does the background change?", "0"},
      {"Which frames show that the red circle moves right?", "<frame: 1-4>"},
      {"Is there an orange star in the video?", "yes"},
      {"Is there an orange circle in the video?", "no"},
      {"Does the red circle move right?", "yes"},
      {"Does the red circle jump?", "no"},
      {"Does the orange star jump before the red circle moves right?", "no"}};
  for (const auto& [question, answer] : some) {
    ASSERT_TRUE(answers.contains(question)) << question;
    EXPECT_EQ(answers[question], answer) << question;
  }
}

TEST(Questions, EveryKindIsAsked) {
  for (const Language language : {Language::english, Language::chinese}) {
    std::set<std::string> kinds;
    for (const Question& question : ask(small_clip(), language, 1)) kinds.insert(question.kind);
    EXPECT_THAT(kinds, testing::UnorderedElementsAre(
                           "colour", "shape", "count", "place", "background", "first", "after",
                           "times", "when", "is_there", "does_it", "before", "choice"));
  }
}

TEST(Questions, ProbesAreBalancedPairsAndTextIsFilledIn) {
  for (std::uint64_t index = 0; index < 2000; ++index) {
    const Clip clip = make_clip(level_named("base"), Split::train, 2, index);
    for (const Language language : {Language::english, Language::chinese}) {
      std::map<std::string, int> balance;
      for (const Question& question : ask(clip, language, index)) {
        EXPECT_EQ(question.question.find_first_of("{}"), std::string::npos) << question.question;
        EXPECT_FALSE(question.answer.empty()) << question.question;
        if (is_probe(question.kind)) {
          const bool yes = question.answer == "yes" || question.answer == "是";
          balance[question.kind] += yes ? 1 : -1;
        }
      }
      for (const auto& [kind, difference] : balance) EXPECT_EQ(difference, 0) << kind;
    }
  }
}

// Of a kind's questions about the same clips, how many are drawn with and without its weight.
TEST(Questions, AreDrawnByTheWeightsOfTheirKinds) {
  const Level& level = level_named("base");
  std::map<std::string, int> even, weighted;
  std::set<std::string> kinds;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Clip clip = make_clip(level, Split::train, 3, i);
    const std::vector<double> seconds = sampled_seconds(clip, 8);
    Random one({i, 1}), other({i, 1});
    for (const Question& question : draw_questions(clip, seconds, Language::english, 5, one)) {
      ++even[question.kind];
      kinds.insert(question.kind);
    }
    const std::vector<Question> drawn =
        draw_questions(clip, seconds, Language::english, 5, other, {{"when", 50}, {"place", 0.02}});
    EXPECT_GE(drawn.size(), 5u);
    for (const Question& question : drawn) ++weighted[question.kind];
  }
  EXPECT_EQ(kinds.size(), kQuestionKinds.size());
  for (const std::string& kind : kinds)
    EXPECT_THAT(kQuestionKinds, ::testing::Contains(kind)) << "a kind without a name";
  EXPECT_GT(weighted["when"], 2 * even["when"]);
  EXPECT_LT(weighted["place"] * 4, even["place"]);
}

TEST(Questions, ChoicesHaveOneRightOption) {
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Clip clip = make_clip(level_named("base"), Split::train, 2, index);
    for (const Question& question : ask(clip, Language::english, index)) {
      if (question.kind != "choice") continue;
      ASSERT_EQ(question.answer.size(), 1u);
      const std::size_t at = question.question.find("\n" + question.answer + ". ");
      ASSERT_NE(at, std::string::npos);
      if (!question.question.starts_with("Which of these")) continue;
      int right = 0;
      for (const Event& event : clip.events) {
        const std::string clause = ". " + event_clause(event, Language::english);
        const std::size_t found = (question.question + "\n").find(clause + "\n");
        right += found == std::string::npos ? 0 : 1;
      }
      EXPECT_GE(right, 1);
    }
  }
}

TEST(Claims, FalseOnesAreFalseAndNearOnesNear) {
  for (std::uint64_t index = 0; index < 2000; ++index) {
    const Clip clip = make_clip(level_named("base"), Split::train, 2, index);
    Random random({index});
    for (const Event& event : clip.events) {
      const Event near = false_claim(clip, event, true, random);
      EXPECT_EQ(times_true(clip, near), 0);
      EXPECT_TRUE(near.kind == event.kind ||
                  same_claim({.kind = EventKind::jump, .actor = near.actor},
                             {.kind = EventKind::jump, .actor = event.actor}));
      EXPECT_EQ(times_true(clip, false_claim(clip, event, false, random)), 0);
    }
    for (const bool near : {true, false}) {
      const Look name = false_name(clip, clip.opening[0], near, random);
      EXPECT_FALSE(is_ever_in_view(clip, name.colour, name.shape));
      EXPECT_FALSE(is_held_out(name.colour, name.shape));
      EXPECT_EQ(near, name.colour == clip.opening[0].colour || name.shape == clip.opening[0].shape);
    }
  }
}

TEST(Claims, ASwapIsTheSameEitherWayRound) {
  Event swap{.kind = EventKind::swap};
  swap.actor = kCircle;
  swap.partner = kStar;
  Event turned = swap;
  std::swap(turned.actor, turned.partner);
  EXPECT_TRUE(same_claim(swap, turned));
  turned.actor.colour = Colour::blue;
  EXPECT_FALSE(same_claim(swap, turned));
}

}  // namespace
}  // namespace tarsier
