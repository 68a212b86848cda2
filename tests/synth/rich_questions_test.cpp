// Answers about clips of the level rich, against the timeline.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

std::vector<Question> ask(const Clip& clip, Language language) {
  Random random({clip.index, static_cast<std::uint64_t>(language)});
  return make_questions(clip, sampled_seconds(clip, 16), language, random);
}

// The clip's events by their clause; each clause once.
std::map<std::string, const Event*> clauses_of(const Clip& clip, Language language) {
  std::map<std::string, const Event*> clauses;
  for (const Event& event : clip.events) clauses[event_clause(event, language)] = &event;
  return clauses;
}

// The clauses that stand in a text, by where; a clause that only begins a longer one is left out.
std::map<std::size_t, const Event*> found_in(const std::string& text,
                                             const std::map<std::string, const Event*>& clauses) {
  std::map<std::size_t, std::pair<std::size_t, const Event*>> longest;
  for (const auto& [clause, event] : clauses) {
    const std::size_t at = text.find(clause);
    if (at == std::string::npos) continue;
    auto& best = longest[at];
    if (clause.size() > best.first) best = {clause.size(), event};
  }
  std::map<std::size_t, const Event*> found;
  for (const auto& [at, best] : longest) found[at] = best.second;
  return found;
}

class RichQuestions : public testing::TestWithParam<Language> {};
INSTANTIATE_TEST_SUITE_P(Languages, RichQuestions, testing::ValuesIn(kLanguages),
                         [](const auto& tested) { return std::string(table(tested.param).name); });

TEST_P(RichQuestions, AnswersFollowTheTimeline) {
  const Language language = GetParam();
  const QuestionWords& words = question_words(language);
  std::map<std::string, int> kinds;
  for (std::uint64_t index = 0; index < 700 && !HasFailure(); ++index) {
    const Clip clip = make_clip(level_named("rich"), Split::train, 6, index);
    const auto clauses = clauses_of(clip, language);
    const std::vector<double> seconds = sampled_seconds(clip, 16);
    std::map<std::string, int> balance;
    for (const Question& q : ask(clip, language)) {
      SCOPED_TRACE(q.question + " -> " + q.answer);
      ++kinds[q.kind];
      EXPECT_EQ(q.question.find_first_of("{}"), std::string::npos);
      EXPECT_FALSE(q.answer.empty());
      if (is_probe(q.kind)) {
        EXPECT_TRUE(q.answer == words.yes || q.answer == words.no);
        balance[q.kind] += q.answer == words.yes ? 1 : -1;
      }
      const auto found = found_in(q.question, clauses);
      if (q.kind == "first" && found.size() == 2) {
        const Event &a = *found.begin()->second, &b = *found.rbegin()->second;
        EXPECT_EQ(q.answer, event_clause(a.start < b.start ? a : b, language));
      } else if (q.kind == "after") {
        ASSERT_GE(found.size(), 1u);
        const Event& event = *found.begin()->second;
        const auto next = std::find_if(clip.events.begin(), clip.events.end(), [&](const Event& e) {
          return e.start > event.start && event_clause(e, language) == q.answer;
        });
        ASSERT_NE(next, clip.events.end());
        EXPECT_GE(next->start, event.end);
        for (const Event& other : clip.events)  // nothing else begins in between
          EXPECT_FALSE(event.start < other.start && other.start < next->start);
      } else if (q.kind == "when") {
        ASSERT_GE(found.size(), 1u);
        EXPECT_EQ(q.answer, frame_marker(frame_interval(*found.rbegin()->second, seconds)));
      } else if (q.kind == "times") {
        const auto asked = std::find(words.times.begin(), words.times.end(), q.question);
        ASSERT_NE(asked, words.times.end());
        const auto kind = static_cast<EventKind>(asked - words.times.begin());
        EXPECT_EQ(q.answer, std::to_string(std::count_if(
                                clip.events.begin(), clip.events.end(),
                                [&](const Event& event) { return event.kind == kind; })));
      } else if (q.kind == "count") {
        const bool of_all = q.question == words.count_start || q.question == words.count_end;
        const std::vector<Look> looks =
            q.question == words.count_start ? clip.opening : looks_at(clip, clip.seconds);
        if (of_all) {
          EXPECT_EQ(q.answer, std::to_string(looks.size()));
          EXPECT_TRUE(std::none_of(looks.begin(), looks.end(), is_group));
        } else {
          EXPECT_GE(std::stoi(q.answer), kLeastInGroup);
        }
      }
    }
    for (const auto& [kind, difference] : balance) EXPECT_EQ(difference, 0) << kind;
  }
  EXPECT_EQ(kinds.size(), 13u);
  for (const auto& [kind, count] : kinds) EXPECT_GT(count, 100) << kind;
}

TEST_P(RichQuestions, ChoicesHaveOneRightLetter) {
  const Language language = GetParam();
  const QuestionWords& words = question_words(language);
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Clip clip = make_clip(level_named("rich"), Split::train, 6, index);
    const auto clauses = clauses_of(clip, language);
    for (const Question& q : ask(clip, language)) {
      if (q.kind != "choice") continue;
      ASSERT_EQ(q.answer.size(), 1u);
      const std::string lines = q.question + "\n";
      std::set<std::string> options;
      for (char letter = 'A'; letter <= 'D'; ++letter) {
        const std::string label = std::string("\n") + letter + ". ";
        const std::size_t at = lines.find(label);
        ASSERT_NE(at, std::string::npos) << q.question;
        const std::size_t begin = at + label.size();
        const std::string option = lines.substr(begin, lines.find('\n', begin) - begin);
        options.insert(option);
        if (q.question.starts_with(words.which)) {
          EXPECT_EQ(clauses.contains(option), q.answer[0] == letter) << q.question;
        }
      }
      EXPECT_EQ(options.size(), 4u) << q.question;
    }
  }
}

TEST(RichClaims, FalseOnesAreFalseAndPossibleOfTheirActors) {
  std::set<EventKind> kinds;
  for (std::uint64_t index = 0; index < 1500; ++index) {
    const Clip clip = make_clip(level_named("rich"), Split::train, 2, index);
    Random random({index});
    for (const Event& event : clip.events) {
      for (const bool near : {true, false}) {
        const Event claim = false_claim(clip, event, near, random);
        kinds.insert(claim.kind);
        EXPECT_EQ(times_true(clip, claim), 0);
        EXPECT_TRUE(claim.kind != EventKind::recount ||
                    (is_group(claim.actor) && claim.to_count >= kLeastInGroup &&
                     claim.to_count <= kMostInGroup));
        EXPECT_TRUE(claim.kind != EventKind::wave || claim.actor.shape == Shape::figure);
        EXPECT_EQ(has_direction(claim.kind), claim.direction != Direction::none);
        EXPECT_FALSE(event_clause(claim, Language::spanish).empty());
      }
    }
  }
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(kAllEventKinds));
}

TEST(RichClaims, WhatAnotherEventShowsIsNotCalledFalse) {
  const Look circle{Shape::circle, Colour::red, ShapeSize::small, 3};
  const Look star{Shape::star, Colour::blue, ShapeSize::small, 4};
  Event follow{.kind = EventKind::follow, .start = 1, .end = 3, .object = 0, .other = 1};
  follow.direction = Direction::right;
  follow.actor = circle;
  follow.partner = star;
  Event touch = follow;
  touch.kind = EventKind::touch;
  touch.start = 4;
  touch.end = 6;
  touch.direction = Direction::none;
  Clip clip{.level = "rich", .seconds = 8, .opening = {}, .objects = {}, .events = {}};
  clip.opening = {circle, star};
  clip.objects = {{.look = circle}, {.look = star}};
  clip.events = {follow, touch};
  clip.shapes = kAllShapes;
  clip.event_kinds = kAllEventKinds;
  Random random({5});
  for (int i = 0; i < 3000; ++i) {
    const Event claim =
        false_claim(clip, clip.events[static_cast<std::size_t>(i % 2)], random.chance(0.8), random);
    const bool known = same_name(claim.actor, circle) || same_name(claim.actor, star);
    EXPECT_FALSE(claim.kind == EventKind::move && known);
    EXPECT_FALSE(claim.kind == EventKind::touch && same_name(claim.actor, star) &&
                 same_name(claim.partner, circle));
  }
}

}  // namespace
}  // namespace tarsier
