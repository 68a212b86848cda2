// Questions about sounds, answered again from their words and the clip's truth.
#include "tarsier/synth/sound_questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/sound_claims.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/sounds.h"
#include "tarsier/synth/timeline.h"
#include "tests/synth/small_heard_clip.h"

namespace tarsier {
namespace {

class SoundQuestions : public testing::TestWithParam<Language> {};
INSTANTIATE_TEST_SUITE_P(Languages, SoundQuestions, testing::ValuesIn(kLanguages),
                         [](const auto& tested) { return std::string(table(tested.param).name); });

std::string filled(std::string_view words, SoundKind kind, const Event* event, Language language) {
  return put(std::string(words),
             {{"{sound}", sound_name(kind, language)},
              {"{clause}", event == nullptr ? "" : event_clause(*event, language)}});
}

TEST_P(SoundQuestions, AnswersFollowTheSounds) {
  const Language language = GetParam();
  const SoundWords& words = sound_words(language);
  const QuestionWords& answers = question_words(language);
  std::map<std::string, int> kinds;
  int tied_no = 0;
  for (std::uint64_t index = 0; index < 1000 && !HasFailure(); ++index) {
    const Clip clip = make_clip(level_named("av"), Split::train, 6, index);
    Random random({index});
    // What each question that can be asked has for an answer.
    std::map<std::string, std::string> truth;
    int beeps = 0;
    for (const ClipSound& sound : clip.sounds) beeps += beeps_in(sound.kind);
    truth[std::string(words.beeps)] = std::to_string(beeps);
    for (int value = 0; value < kSoundKinds; ++value) {
      const auto kind = static_cast<SoundKind>(value);
      truth[filled(form_for(kind, words.is_heard), kind, nullptr, language)] =
          is_heard(clip, kind) ? answers.yes : answers.no;
      for (const Event& event : clip.events) {
        truth[filled(form_for(kind, words.is_heard_with), kind, &event, language)] =
            is_heard_during(clip, kind, event) ? answers.yes : answers.no;
      }
    }
    for (const ClipSound& sound : clip.sounds) {
      const Event* event = event_of(clip, sound);
      if (event == nullptr) continue;
      truth[filled(words.which, sound.kind, event, language)] = sound_name(sound.kind, language);
      truth[filled(form_for(sound.kind, words.with_sound), sound.kind, event, language)] =
          event_clause(*event, language);
    }
    int balance = 0;
    for (const Question& q : sound_questions(clip, language, random)) {
      SCOPED_TRACE(q.question + " -> " + q.answer);
      ++kinds[q.kind];
      EXPECT_EQ(q.question.find_first_of("{}"), std::string::npos);
      ASSERT_TRUE(truth.contains(q.question));
      EXPECT_EQ(truth.at(q.question), q.answer);
      EXPECT_EQ(is_probe(q.kind), q.kind == "is_heard");
      if (!is_probe(q.kind)) continue;
      balance += q.answer == answers.yes ? 1 : -1;
      for (const Event& event : clip.events) {
        const bool names_it = q.question.find(event_clause(event, language)) != std::string::npos;
        tied_no += q.answer == answers.no && names_it ? 1 : 0;
      }
    }
    EXPECT_EQ(balance, 0);
  }
  EXPECT_EQ(kinds.size(), kSoundQuestionKinds.size());
  for (const auto& [kind, count] : kinds) {
    EXPECT_THAT(kSoundQuestionKinds, testing::Contains(kind));
    EXPECT_GT(count, 300) << kind;
  }
  EXPECT_GT(tied_no, 300);
}

TEST_P(SoundQuestions, StandBehindTheOthersOfClipsWithSoundsAlone) {
  const Language language = GetParam();
  for (std::uint64_t index = 0; index < 50; ++index) {
    const Clip heard = make_clip(level_named("av"), Split::train, 6, index);
    Clip silent = heard;
    silent.sounds.clear();
    const std::vector<double> seconds = sampled_seconds(heard, 8);
    Random a({index}), b({index});
    const std::vector<Question> all = make_questions(heard, seconds, language, a),
                                seen = make_questions(silent, seconds, language, b);
    ASSERT_GE(all.size(), seen.size() + 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i < seen.size()) {
        EXPECT_EQ(all[i].question + all[i].answer, seen[i].question + seen[i].answer);
      } else {
        EXPECT_THAT(kSoundQuestionKinds, testing::Contains(all[i].kind));
      }
    }
    const std::vector<Question> drawn = draw_questions(heard, seconds, language, 100, a);
    EXPECT_GE(drawn.size(), seen.size());
  }
}

// Each kind is drawn, and by its weight.
TEST_P(SoundQuestions, AreDrawnByTheWeightsOfTheirKinds) {
  std::map<std::string, int> even, weighted;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Clip clip = make_clip(level_named("av"), Split::train, 3, i);
    const std::vector<double> seconds = sampled_seconds(clip, 8);
    Random one({i, 1}), other({i, 1});
    for (const Question& question : draw_questions(clip, seconds, GetParam(), 5, one))
      ++even[question.kind];
    for (const Question& question :
         draw_questions(clip, seconds, GetParam(), 5, other, {{"is_heard", 50}, {"beeps", 0.02}}))
      ++weighted[question.kind];
  }
  for (const std::string_view kind : kSoundQuestionKinds) EXPECT_GT(even[std::string(kind)], 0);
  EXPECT_GT(weighted["is_heard"], 2 * even["is_heard"]);
  EXPECT_LT(weighted["beeps"] * 4, even["beeps"]);
}

TEST(SoundQuestionsByHand, Answers) {
  const Clip clip = small_heard_clip();
  std::map<std::string, std::string> answers;
  for (std::uint64_t key = 0; key < 100; ++key) {
    Random random({key});
    for (const Question& q : sound_questions(clip, Language::english, random))
      EXPECT_EQ(answers.emplace(q.question, q.answer).first->second, q.answer);
  }
  const std::map<std::string, std::string> some = {
      {"Which sound is heard when the red circle jumps?", "a low tone"},
      {"How many beeps are heard?", "3"},
      {"Are three beeps heard?", "yes"},
      {"Are four beeps heard?", "no"},
      {"Is a low tone heard when the red circle jumps?", "yes"},
      {"Is a high tone heard when the red circle jumps?", "no"},
      {"What happens when a low tone is heard?", "the red circle jumps"}};
  for (const auto& [question, answer] : some) {
    ASSERT_TRUE(answers.contains(question)) << question;
    EXPECT_EQ(answers[question], answer);
  }
}

}  // namespace
}  // namespace tarsier
