#include "tarsier/engine/dialogue.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/engine/score_choices.h"
#include "tests/engine/fake_backend.h"
#include "tests/engine/test_model.h"

namespace tarsier {
namespace {

Prompt longer(const Prompt& prompt, const std::vector<std::int64_t>& answer,
              const std::string& words) {
  std::string text;
  for (const std::int64_t token : prompt.tokens) text.push_back(static_cast<char>(token));
  Prompt next = text_prompt(text);
  std::vector<std::int64_t> more(answer);
  for (const char c : words) more.push_back(static_cast<unsigned char>(c));
  next.tokens.insert(next.tokens.end(), more.begin(), more.end());
  const auto tokens = static_cast<std::int64_t>(next.tokens.size());
  next.positions = at::arange(tokens, at::kLong).expand({prompt.positions.size(0), tokens});
  next.next_position = tokens;
  return next;
}

SamplingParams short_answers() {
  SamplingParams params;
  params.max_new_tokens = 6;
  return params;
}

class DialogueTest : public testing::Test {
 protected:
  Completion alone(const Prompt& prompt) {
    AtenBackend backend(model_.decoder());
    Dialogue dialogue(model_, backend);
    Completion done = dialogue.answer(prompt, {}, short_answers(), {}, {});
    EXPECT_EQ(dialogue.cached_tokens(), 0);
    return done;
  }
  at::NoGradGuard no_grad_;
  TestModel model_;
};

TEST_F(DialogueTest, ATurnBehindAnotherIsThatTurnAlone) {
  AtenBackend backend(model_.decoder());
  Dialogue dialogue(model_, backend);
  const Prompt first = text_prompt("what is there?");
  const Completion one = dialogue.answer(first, {}, short_answers(), {}, {});
  EXPECT_EQ(one.tokens, alone(first).tokens);
  const Prompt second = longer(first, one.tokens, " and then?");
  const Completion two = dialogue.answer(second, {}, short_answers(), {}, {});
  EXPECT_EQ(two.tokens, alone(second).tokens);
  // The last token of an answer is chosen, not run.
  EXPECT_EQ(dialogue.cached_tokens(), std::ssize(first.tokens) + one.new_tokens - 1);
}

TEST_F(DialogueTest, AnotherBeginningStartsAnew) {
  AtenBackend backend(model_.decoder());
  Dialogue dialogue(model_, backend);
  dialogue.answer(text_prompt("what is there?"), {}, short_answers(), {}, {});
  const Prompt other = text_prompt("who is there?");
  EXPECT_EQ(dialogue.answer(other, {}, short_answers(), {}, {}).tokens, alone(other).tokens);
  EXPECT_EQ(dialogue.cached_tokens(), 0);
  dialogue.answer(other, {}, short_answers(), {}, {});  // nothing new: it is run again
  EXPECT_EQ(dialogue.cached_tokens(), 0);
}

TEST_F(DialogueTest, GivesItsSlotBack) {
  FakeBackend backend(kTestVocab);
  backend.scripts['?'] = {'a', 'b', kEnd};
  {
    Dialogue dialogue(model_, backend);
    const Prompt first = text_prompt("what?");
    EXPECT_EQ(dialogue.answer(first, {}, {}, {}, {}).text, "ab");
    EXPECT_EQ(backend.taken.size(), 1U);
    EXPECT_EQ(dialogue.answer(longer(first, {'a', 'b', kEnd}, "so?"), {}, {}, {}, {}).text, "ab");
    EXPECT_EQ(backend.taken.size(), 1U);
    EXPECT_EQ(backend.admissions, 1);
  }
  EXPECT_TRUE(backend.taken.empty());
}

TEST_F(DialogueTest, StopsWhenAsked) {
  FakeBackend backend(kTestVocab);
  backend.scripts['?'] = {'a', 'b', 'c', kEnd};
  std::stop_source source;
  backend.before_step = [&] { source.request_stop(); };
  Dialogue dialogue(model_, backend);
  const Completion done = dialogue.answer(text_prompt("what?"), {}, {}, {}, source.get_token());
  EXPECT_EQ(done.reason, FinishReason::cancelled);
  EXPECT_EQ(done.text, "ab");
}

/// The same by whole forward passes: the sum over the choice's tokens and the end.
double by_hand(const TestModel& model, const Prompt& prompt, const std::string& choice) {
  std::vector<std::int64_t> tokens(prompt.tokens), more;
  for (const char c : choice) more.push_back(static_cast<unsigned char>(c));
  more.push_back(kEnd);
  double sum = 0;
  for (const std::int64_t token : more) {
    Prompt so_far = prompt;
    so_far.tokens = tokens;
    const auto length = static_cast<std::int64_t>(tokens.size());
    so_far.positions = at::arange(length, at::kLong).expand({prompt.positions.size(0), length});
    so_far.next_position = length;
    AtenBackend backend(model.decoder());
    const Tensor logits = backend.admit(so_far, {}, 0).logits.to(at::kDouble);
    sum += at::log_softmax(logits, -1)[token].item<double>();
    tokens.push_back(token);
  }
  return sum;
}

TEST_F(DialogueTest, ChoicesAreScoredByTheirLogProbability) {
  AtenBackend backend(model_.decoder());
  const Prompt prompt = text_prompt("left or right?");
  const std::vector<std::string> choices{"left", "right", "x"};
  const std::vector<ChoiceScore> scores = score_choices(model_, backend, prompt, {}, choices);
  ASSERT_EQ(scores.size(), 3U);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    EXPECT_NEAR(scores[i].log_probability, by_hand(model_, prompt, choices[i]), 1e-3) << choices[i];
    EXPECT_EQ(scores[i].tokens, std::ssize(choices[i]) + 1);
  }
  const std::vector<double> shares = choice_probabilities(scores);
  EXPECT_NEAR(shares[0] + shares[1] + shares[2], 1, 1e-12);
  EXPECT_NEAR(shares[0] / shares[1],
              std::exp(scores[0].log_probability - scores[1].log_probability), 1e-9);
}

TEST_F(DialogueTest, AnEmptyChoiceIsRefused) {
  AtenBackend backend(model_.decoder());
  const std::vector<std::string> choices{"a", ""};
  EXPECT_THROW(score_choices(model_, backend, text_prompt("?"), {}, choices), ConfigError);
}

TEST_F(DialogueTest, ALoopEndsTheAnswer) {
  FakeBackend backend(kTestVocab);
  backend.scripts['?'] = std::vector<std::int64_t>(200, 'a');
  backend.scripts['?'].push_back(kEnd);
  Dialogue dialogue(model_, backend);
  const Completion done = dialogue.answer(text_prompt("what?"), {}, {}, {}, {});
  EXPECT_EQ(done.reason, FinishReason::loop);
  EXPECT_EQ(name_of(done.reason), "loop");
  EXPECT_EQ(done.new_tokens, 48);
  SamplingParams keep;
  keep.keep_loops = true;
  EXPECT_EQ(dialogue.answer(text_prompt("why?"), {}, keep, {}, {}).reason, FinishReason::stop);
}

}  // namespace
}  // namespace tarsier
