#include "tarsier/engine/generate.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/engine/aten_backend.h"
#include "tests/engine/fake_backend.h"
#include "tests/engine/test_model.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::int64_t> tokens_of(const std::string& text, std::int64_t end = -1) {
  std::vector<std::int64_t> ids(text.begin(), text.end());
  for (std::int64_t& id : ids) id &= 255;
  if (end >= 0) ids.push_back(end);
  return ids;
}

class GenerateTest : public testing::Test {
 protected:
  Completion run(const std::string& script, SamplingParams params = {}, std::int64_t end = kEnd,
                 std::stop_token stop = {}) {
    backend_.scripts['?'] = tokens_of(script, end);
    ModelInputs inputs;
    inputs.prompt = text_prompt("what?");
    said_.clear();
    Completion done = generate(
        model_, backend_, inputs, params,
        [this](std::string_view piece) { said_.emplace_back(piece); }, stop);
    EXPECT_TRUE(backend_.taken.empty());
    return done;
  }

  at::NoGradGuard no_grad_;
  TestModel model_;
  FakeBackend backend_{kTestVocab};
  std::vector<std::string> said_;
};

TEST_F(GenerateTest, SaysWhatIsWrittenAndStops) {
  const Completion done = run("A cat.");
  EXPECT_EQ(done.text, "A cat.");
  EXPECT_EQ(done.reason, FinishReason::stop);
  EXPECT_EQ(done.prompt_tokens, 5);
  EXPECT_EQ(done.new_tokens, 7);
  EXPECT_EQ(done.tokens, tokens_of("A cat.", kEnd));
  EXPECT_THAT(said_, ElementsAre("A", " ", "c", "a", "t", "."));
}

TEST_F(GenerateTest, AnyEndIdEnds) {  // models-tarsier.md 7, trap 49
  EXPECT_EQ(run("ab", {}, kOtherEnd).text, "ab");
  EXPECT_EQ(run("", {}, kEnd).text, "");
  EXPECT_EQ(run("", {}, kEnd).new_tokens, 1);
}

TEST_F(GenerateTest, SpeaksInWholeCharacters) {
  EXPECT_EQ(run("é😀!").text, "é😀!");
  EXPECT_THAT(said_, ElementsAre("é", "😀", "!"));
  SamplingParams two;
  two.max_new_tokens = 2;
  EXPECT_EQ(run("a\xf0\x9f\x98\x80", two).text, "a\uFFFD");
}

TEST_F(GenerateTest, StopStringsAcrossTokensAreNotSaid) {
  SamplingParams params;
  params.stop = {"END", "!!"};
  const Completion done = run("One. E! END more", params);
  EXPECT_EQ(done.text, "One. E! ");
  EXPECT_EQ(done.reason, FinishReason::stop);
  EXPECT_EQ(done.new_tokens, 11);
  EXPECT_THAT(said_, ElementsAre("O", "n", "e", ".", " ", "E", "! "));
  EXPECT_EQ(run("wait EN", params).text, "wait EN");
}

TEST_F(GenerateTest, TheLengthIsALimit) {
  SamplingParams params;
  params.max_new_tokens = 3;
  const Completion done = run("abcdef", params);
  EXPECT_EQ(done.text, "abc");
  EXPECT_EQ(done.reason, FinishReason::length);
  EXPECT_EQ(backend_.batches.size(), 2u);
}

TEST_F(GenerateTest, ALimitOfTheModelIsKeptOrRefused) {
  model_.info_.max_tokens = 9;
  EXPECT_EQ(run("abcdefgh").text, "abcd");
  SamplingParams params;
  params.max_new_tokens = 5;
  EXPECT_THAT([&] { run("abcdefgh", params); },
              testing::Throws<ConfigError>(testing::Property(
                  &ConfigError::what, HasSubstr("--max-new-tokens: 5 do not fit"))));
  model_.info_.max_tokens = 5;
  EXPECT_THROW(run("abc"), InputError);
}

TEST_F(GenerateTest, CancelsBetweenTokens) {
  std::stop_source stop;
  backend_.before_step = [&] {
    if (backend_.batches.size() == 2) stop.request_stop();
  };
  const Completion done = run("abcdef", {}, kEnd, stop.get_token());
  EXPECT_EQ(done.text, "abcd");
  EXPECT_EQ(done.reason, FinishReason::cancelled);
  EXPECT_EQ(name_of(done.reason), "cancelled");
}

TEST_F(GenerateTest, AFailingSinkGivesItsSlotBack) {
  backend_.scripts['?'] = tokens_of("ab", kEnd);
  ModelInputs inputs;
  inputs.prompt = text_prompt("what?");
  const TextSink broken = [](std::string_view) {
    throw ResourceError({"stdout", "is closed", "-"});
  };
  EXPECT_THROW(generate(model_, backend_, inputs, {}, broken), ResourceError);
  EXPECT_TRUE(backend_.taken.empty());
}

class BranchesTest : public GenerateTest {
 protected:
  std::vector<Completion> ask(std::vector<Branch> branches, std::stop_token stop = {}) {
    MediaInputs media;
    media.pixels = at::zeros({4, 32});
    auto done = generate_branches(model_, backend_, media, branches, stop);
    EXPECT_TRUE(backend_.taken.empty());
    return done;
  }
  static Branch about(const std::string& question, std::int64_t new_tokens = 20) {
    Branch branch{video_prompt(2, 1, 2, 2, question), {}, {}};
    branch.sampling.max_new_tokens = new_tokens;
    return branch;
  }
};

TEST_F(BranchesTest, OneEncodingOnePrefixOneBatch) {
  backend_.scripts = {
      {'1', tokens_of("one", kEnd)}, {'2', tokens_of("twice", kEnd)}, {'3', tokens_of("3", kEnd)}};
  const auto done = ask({about("q 1"), about("q 2"), about("q 3")});
  EXPECT_EQ(done[0].text, "one");
  EXPECT_EQ(done[1].text, "twice");
  EXPECT_EQ(done[2].text, "3");
  EXPECT_EQ(model_.encoded, 1);
  EXPECT_EQ(backend_.admissions, 1);
  EXPECT_EQ(backend_.forks, 3);
  EXPECT_THAT(backend_.batches, ElementsAre(3, 2, 2, 1, 1));
}

TEST_F(BranchesTest, TakesTurnsWhereRoomIsShort) {
  backend_.scripts = {
      {'1', tokens_of("one", kEnd)}, {'2', tokens_of("two", kEnd)}, {'3', tokens_of("3", kEnd)}};
  backend_.room = 8 + 2 * (9 + 20);  // the prefix of 8, and two whole sequences
  const auto done = ask({about("q 1"), about("q 2"), about("q 3")});
  EXPECT_EQ(done[1].text, "two");
  EXPECT_EQ(done[2].text, "3");
  EXPECT_EQ(backend_.most_slots, 3u);
  backend_.room = 20;
  EXPECT_THROW(ask({about("q 1"), about("q 2")}), ResourceError);
}

TEST_F(BranchesTest, PromptsThatDifferBeforeTheMediaAreRunWhole) {
  backend_.scripts = {{'1', tokens_of("one", kEnd)}, {'2', tokens_of("two", kEnd)}};
  Branch other{video_prompt(3, 1, 2, 2, "q 2"), {}, {}};
  other.prompt.tokens[0] = 'Z';
  const auto done = ask({about("q 1"), other});
  EXPECT_EQ(done[0].text + done[1].text, "onetwo");
  EXPECT_EQ(backend_.admissions, 2);
  EXPECT_EQ(backend_.forks, 0);
}

TEST_F(BranchesTest, NoneAndEqualOnes) {
  EXPECT_TRUE(ask({}).empty());
  backend_.scripts = {{'1', tokens_of("one", kEnd)}};
  const auto done = ask({about("q 1"), about("q 1")});
  EXPECT_EQ(done[0].text, "one");
  EXPECT_EQ(done[1].text, "one");
}

TEST_F(BranchesTest, CancelEndsAll) {
  backend_.scripts = {{'1', tokens_of("one", kEnd)}, {'2', tokens_of("two", kEnd)}};
  std::stop_source stop;
  stop.request_stop();
  const auto done = ask({about("q 1"), about("q 2")}, stop.get_token());
  for (const Completion& each : done) EXPECT_EQ(each.reason, FinishReason::cancelled);
}

TEST(GenerateOnATen, BranchesEqualSingles) {
  at::NoGradGuard no_grad;
  const TestModel model;
  const std::string questions[] = {"what is it?", "where?", "what is there?", "describe it"};
  MediaInputs media;
  media.pixels = at::randn({12, 32}, at::detail::createCPUGenerator(3));
  std::vector<Branch> branches;
  for (const std::string& question : questions) {
    Branch branch{video_prompt(4, 3, 2, 2, question), {}, {}};
    branch.sampling.max_new_tokens = 24;
    branches.push_back(branch);
  }
  branches[3].sampling.temperature = 0.8;
  branches[3].sampling.seed = 11;
  AtenBackend backend(model.decoder());
  const auto together = generate_branches(model, backend, media, branches);
  for (std::size_t i = 0; i < branches.size(); ++i) {
    AtenBackend alone(model.decoder());
    const Completion single =
        generate(model, alone, {branches[i].prompt, media}, branches[i].sampling);
    EXPECT_EQ(together[i].tokens, single.tokens) << questions[i];
    EXPECT_EQ(together[i].text, single.text);
    EXPECT_EQ(together[i].prompt_tokens, single.prompt_tokens);
  }
  EXPECT_EQ(model.encoded, 5);
}

}  // namespace
}  // namespace tarsier
