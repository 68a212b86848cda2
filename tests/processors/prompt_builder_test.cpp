#include "tarsier/processors/prompt_builder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/processors/mrope_positions.h"
#include "tiny_tokenizer.h"

namespace tarsier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Shaped like Tarsier2's: all placeholders written, the answer left open on request.
constexpr const char* kTarsier2Like =
    R"({% for message in messages %}<|im_start|>{{ message['role'] }}
{% for item in message['content'] %}{% if item['type'] == 'text' %}{{ item['text'] }}{% else %})"
    R"(<|vision_start|>{% for i in range(item['num_vision_tokens']) %}<|image_pad|>{% endfor %}<|vision_end|>{% endif %}{% endfor %})"
    R"({% if not (strip_final_eos and loop.last) %}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %})";

const Tokenizer& tokenizer() {
  static const auto tiny = tiny_tokenizer();
  return *tiny;
}

MediaBlock a_block(const PatchGrid& grid, Modality modality = Modality::video) {
  return picture_block(modality, grid, 2);
}

PromptOptions qwen2_vl() {
  PromptOptions options;
  options.image_token = kImagePad;
  options.video_token = kVideoPad;
  options.positions = mrope_rule(2, PositionsAfterMedia::longest_axis);
  return options;
}

PromptOptions tarsier2() {
  PromptOptions options = qwen2_vl();
  options.video_token = -1;
  options.one_placeholder = true;
  return options;
}

PromptBuilder builder(std::string_view source, PromptOptions options) {
  return PromptBuilder(
      tokenizer(),
      {ChatTemplate::parse(std::string(source), "chat_template.json"), "chat_template.json", false},
      options);
}

PromptBuilder qwen2_vl_builder(PromptOptions options = qwen2_vl()) {
  return builder(kQwen2VlChatTemplate, options);
}
PromptBuilder tarsier2_builder(PromptOptions options = tarsier2()) {
  return builder(kTarsier2Like, options);
}

Part text(std::string words) { return {std::move(words), nullptr}; }
Part pictures(Modality modality) {
  return {{}, std::make_shared<const Pictures>(Pictures{modality, {Frame{}}, 0, {}})};
}
Part a_video() { return pictures(Modality::video); }
Part an_image() { return pictures(Modality::image); }

std::string shown(const std::vector<std::int64_t>& ids) { return tokenizer().decode(ids, false); }
std::string shown(const Prompt& prompt) { return shown(prompt.tokens); }
std::int64_t count(const Prompt& prompt, std::int64_t id) {
  return std::ranges::count(prompt.tokens, id);
}

std::string repeat(const std::string& piece, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += piece;
  return result;
}

const std::string kSystem = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";

TEST(PromptBuilder, ExpandsOnePlaceholderToTheGrid) {
  const MediaBlock block = a_block({2, 4, 6});
  const Prompt prompt =
      qwen2_vl_builder().build({{"user", {a_video(), text("Describe.")}}}, {&block, 1});
  EXPECT_EQ(shown(prompt), kSystem + "<|im_start|>user\n<|vision_start|>" +
                               repeat("<|video_pad|>", 12) +
                               "<|vision_end|>Describe.<|im_end|>\n<|im_start|>assistant\n");
  ASSERT_EQ(prompt.spans.size(), 1U);
  EXPECT_EQ(prompt.spans[0].modality, Modality::video);
  EXPECT_EQ(prompt.spans[0].length, 12);
  EXPECT_EQ(prompt.tokens[static_cast<std::size_t>(prompt.spans[0].begin) - 1], kVisionStart);
  EXPECT_EQ(prompt.positions.sizes(),
            (std::vector<std::int64_t>{3, static_cast<std::int64_t>(prompt.tokens.size())}));
  EXPECT_EQ(prompt.next_position, static_cast<std::int64_t>(prompt.tokens.size()) - 12 + 3);
  EXPECT_TRUE(prompt.is_target.empty());
}

TEST(PromptBuilder, AcceptsATemplateThatWritesAllPlaceholders) {
  const MediaBlock block = a_block({2, 4, 4});
  const Prompt prompt =
      tarsier2_builder().build({{"user", {a_video(), text("Describe.")}}}, {&block, 1});
  EXPECT_EQ(shown(prompt), "<|im_start|>user\n<|vision_start|>" + repeat("<|image_pad|>", 8) +
                               "<|vision_end|>Describe.<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(count(prompt, kVisionStart), 1);
}

// The built-in template writes the video's own placeholder, which Tarsier2 does not have.
TEST(PromptBuilder, Tarsier2VideosUseTheImagePlaceholder) {
  const MediaBlock block = a_block({2, 4, 4});
  const Prompt prompt = qwen2_vl_builder(tarsier2()).build({{"user", {a_video()}}}, {&block, 1});
  EXPECT_EQ(count(prompt, kImagePad), 8);
  EXPECT_EQ(count(prompt, kVideoPad), 0);
  EXPECT_EQ(count(prompt, kVisionStart), 1);
}

TEST(PromptBuilder, KeepsTheOrderOfMixedMedia) {
  const MediaBlock blocks[] = {a_block({1, 4, 4}, Modality::image), a_block({2, 4, 4}),
                               a_block({1, 2, 2}, Modality::image)};
  const Prompt prompt = qwen2_vl_builder().build({{"user", {an_image(), text("a"), a_video()}},
                                                  {"assistant", {text("b")}},
                                                  {"user", {an_image()}}},
                                                 blocks);
  ASSERT_EQ(prompt.spans.size(), 3U);
  EXPECT_EQ(prompt.spans[0].length, 4);
  EXPECT_EQ(prompt.spans[1].length, 8);
  EXPECT_EQ(prompt.spans[2].length, 1);
  EXPECT_EQ(prompt.spans[1].modality, Modality::video);
  EXPECT_EQ(count(prompt, kImagePad), 5);
  EXPECT_EQ(count(prompt, kVideoPad), 8);
}

TEST(PromptBuilder, LeavesAnAssistantMessageOpen) {
  const Conversation conversation{{"user", {text("Q")}}, {"assistant", {text(" Answer: (")}}};
  EXPECT_EQ(shown(tarsier2_builder().build(conversation, {})),
            "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n Answer: (");
  EXPECT_EQ(shown(qwen2_vl_builder().build(conversation, {})),
            kSystem + "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n Answer: (");
}

TEST(PromptBuilder, AnEmptyAssistantMessageOpensItsTurn) {
  for (const auto& parts : {std::vector<Part>{}, std::vector<Part>{text("")}}) {
    const Conversation open{{"user", {text("Q")}}, {"assistant", parts}};
    const Conversation asked{{"user", {text("Q")}}};
    EXPECT_EQ(shown(tarsier2_builder().build(open, {})),
              shown(tarsier2_builder().build(asked, {})));
    EXPECT_EQ(shown(qwen2_vl_builder().build(open, {})),
              shown(qwen2_vl_builder().build(asked, {})));
  }
}

TEST(PromptBuilder, WordsOfAMessageAreNeverSpecialTokens) {
  const std::string words = "a<|im_end|>b<|image_pad|><|image_pad|>c";
  const Conversation conversation{{"user", {text(words)}}};
  const Prompt prompt = qwen2_vl_builder().build(conversation, {});
  EXPECT_EQ(shown(prompt),
            kSystem + "<|im_start|>user\n" + words + "<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(count(prompt, kImEnd), 2);
  EXPECT_EQ(count(prompt, kImagePad), 0);
  PromptOptions as_upstream = qwen2_vl();
  as_upstream.special_tokens_in_text = true;
  EXPECT_EQ(
      count(qwen2_vl_builder(as_upstream).build({{"user", {text("a<|im_end|>b")}}}, {}), kImEnd),
      3);
}

TEST(PromptBuilder, OurOwnMarksInAMessageAreHarmless) {
  const std::string words =
      "x\xEF\xB7\x90"
      "0\xEF\xB7\x90"
      "end<|im_end|>\xEF\xB7\x90";
  EXPECT_EQ(
      shown(tarsier2_builder().build({{"user", {text(words)}}, {"assistant", {text(words)}}}, {})),
      "<|im_start|>user\n" + words + "<|im_end|>\n<|im_start|>assistant\n" + words);
}

TEST(PromptBuilder, TrainingTargetsAreTheAnswerAndItsEnd) {
  const MediaBlock block = a_block({2, 4, 4});
  const Conversation conversation{{"user", {a_video(), text("Q")}},
                                  {"assistant", {text("yes<|im_end|>")}}};
  for (const PromptBuilder& prompts : {tarsier2_builder(), qwen2_vl_builder()}) {
    const Prompt prompt = prompts.build_for_training(conversation, {&block, 1});
    ASSERT_EQ(prompt.is_target.size(), prompt.tokens.size());
    std::vector<std::int64_t> targets;
    for (std::size_t i = 0; i < prompt.tokens.size(); ++i) {
      if (prompt.is_target[i]) targets.push_back(prompt.tokens[i]);
    }
    EXPECT_EQ(shown(targets), "yes<|im_end|><|im_end|>");
    EXPECT_EQ(targets.size(), 3U + 10U + 1U);  // ten letters, then the token
    EXPECT_EQ(prompt.tokens.back(), kImEnd);
    const Prompt question = prompts.build({conversation[0]}, {&block, 1});
    EXPECT_TRUE(std::equal(question.tokens.begin(), question.tokens.end(), prompt.tokens.begin()));
    EXPECT_FALSE(prompt.is_target[question.tokens.size() - 1]);
    EXPECT_TRUE(prompt.is_target[question.tokens.size()]);
    EXPECT_EQ(prompt.positions.size(1), static_cast<std::int64_t>(prompt.tokens.size()));
  }
}

TEST(PromptBuilder, TrainingNeedsAnAnswer) {
  EXPECT_THROW(qwen2_vl_builder().build_for_training({{"user", {text("Q")}}}, {}), InputError);
  EXPECT_THROW(qwen2_vl_builder().build_for_training({{"assistant", {text("Q")}}}, {}), InputError);
  EXPECT_THROW(qwen2_vl_builder().build({}, {}), InputError);
}

TEST(PromptBuilder, TrainingRefusesATemplateThatJoinsPromptAndAnswer) {
  const Conversation conversation{{"user", {text("Q")}}, {"assistant", {text("A")}}};
  const auto train = [&](const char* source) {
    builder(source, qwen2_vl()).build_for_training(conversation, {});
  };
  EXPECT_THAT(
      [&] {
        train(
            "{% for m in messages %}{{ m.role }}:{{ m.content[0].text }}<|im_end|>{% endfor %}"
            "{% if add_generation_prompt %}assistant: {% endif %}");
      },
      ThrowsMessage<CheckpointError>(HasSubstr("joins prompt and answer")));
  EXPECT_THAT(
      [&] { train("{% for m in messages %}{{ m.role }}:{{ m.content[0].text }}\n{% endfor %}"); },
      ThrowsMessage<CheckpointError>(HasSubstr("special token")));
  EXPECT_THAT([&] { train("nothing"); },
              ThrowsMessage<CheckpointError>(HasSubstr("leaves out the words")));
}

TEST(PromptBuilder, FrameMarkersFollowEachFrame) {
  const MediaBlock blocks[] = {picture_block(Modality::video, {11, 4, 4}, 2, true),
                               picture_block(Modality::image, {1, 4, 4}, 2, true)};
  const Prompt prompt =
      tarsier2_builder().build({{"user", {a_video(), an_image(), text("Q")}}}, blocks);
  const std::string pads = repeat("<|image_pad|>", 4);
  std::string block;
  for (int frame = 1; frame <= 11; ++frame) block += pads + std::to_string(frame);
  EXPECT_EQ(shown(prompt), "<|im_start|>user\n<|vision_start|>" + block +
                               "<|vision_end|><|vision_start|>" + pads +
                               "<|vision_end|>Q<|im_end|>\n<|im_start|>assistant\n");
  ASSERT_EQ(prompt.spans.size(), 12U);
  EXPECT_EQ(prompt.spans[1].begin, prompt.spans[0].begin + 5);
  // A frame takes two positions (2 x 2 tokens) and its number one; the tenth has two digits.
  const auto time = prompt.positions.accessor<std::int64_t, 2>();
  const auto at = [&](std::size_t span) { return time[0][prompt.spans[span].begin]; };
  EXPECT_EQ(at(1), at(0) + 3);
  EXPECT_EQ(at(10), at(0) + 31);
  EXPECT_EQ(at(11), at(10) + 2 + 2 + 2);  // two digits, vision_end, vision_start
  EXPECT_EQ(time[2][prompt.spans[3].begin + 1], at(3) + 1);
}

TEST(PromptBuilder, CountsPlaceholdersAgainstGrids) {
  const MediaBlock block = a_block({2, 4, 4});
  const Conversation video{{"user", {a_video()}}};
  const auto build = [&](const char* source, PromptOptions options) {
    builder(source, options).build(video, {&block, 1});
  };
  EXPECT_THAT(
      [&] { build("<|image_pad|><|image_pad|><|image_pad|>", tarsier2()); },
      ThrowsMessage<CheckpointError>(AllOf(HasSubstr("3 placeholders"), HasSubstr("8 tokens"))));
  EXPECT_THAT(
      [&] { build("no picture", tarsier2()); },
      ThrowsMessage<CheckpointError>(AllOf(HasSubstr("for 0 pictures"), HasSubstr("there are 1"))));
  EXPECT_THAT(
      [&] { build("<|image_pad|>,<|image_pad|>", tarsier2()); },
      ThrowsMessage<CheckpointError>(HasSubstr("more placeholders than there are pictures (1)")));
  EXPECT_THAT(
      [&] { build("<|image_pad|>", qwen2_vl()); },
      ThrowsMessage<CheckpointError>(HasSubstr("placeholder of an image where the video stands")));
}

TEST(PromptBuilder, NeverCutsALongPrompt) {
  PromptOptions options = qwen2_vl();
  const MediaBlock block = a_block({2, 4, 4});
  const Conversation conversation{{"user", {a_video()}}};
  const auto length =
      static_cast<std::int64_t>(qwen2_vl_builder().build(conversation, {&block, 1}).tokens.size());
  options.max_tokens = length;
  EXPECT_NO_THROW(qwen2_vl_builder(options).build(conversation, {&block, 1}));
  options.max_tokens = length - 1;
  EXPECT_THAT(
      [&] {
        qwen2_vl_builder(options).build(conversation, {&block, 1});
      },
      ThrowsMessage<InputError>(AllOf(HasSubstr(fmt::format("has {} tokens, 8 of them", length)),
                                      HasSubstr(fmt::format("at most {}", length - 1)))));
}

TEST(PromptBuilder, ServesManyThreads) {
  const PromptBuilder prompts = tarsier2_builder();
  const MediaBlock block = a_block({2, 4, 4});
  const Conversation conversation{{"user", {a_video(), text("<|im_end|>")}}};
  const auto expected = prompts.build(conversation, {&block, 1}).tokens;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j)
        EXPECT_EQ(prompts.build(conversation, {&block, 1}).tokens, expected);
    });
  }
}

TEST(PromptBuilder, SaysWhereTheTemplateCameFrom) {
  EXPECT_EQ(tarsier2_builder().template_origin(), "chat_template.json");
  EXPECT_FALSE(tarsier2_builder().template_is_built_in());
}

}  // namespace
}  // namespace tarsier
