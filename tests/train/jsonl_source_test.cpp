#include <ATen/ATen.h>

#include "tarsier/base/error.h"
#include "tarsier/media/png_writer.h"
#include "tarsier/models/registry.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/train/batch.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/learner.h"
#include "tests/data/small_videos.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

constexpr char kTwoTurns[] =
    R"({"messages":[{"role":"user","content":[{"type":"image","image":{"image_file":"p.png"}},)"
    R"({"type":"text","text":"What is it?"}]},{"role":"assistant","content":"a red circle"},)"
    R"({"role":"user","content":"Where is it?"},{"role":"assistant","content":"on the left"}]})";
constexpr char kWords[] =
    R"({"messages":[{"role":"system","content":"Answer."},{"role":"user","content":"What is red?"},)"
    R"({"role":"assistant","content":"a circle"}]})";
constexpr char kLlava[] =
    R"({"video":"a.mp4","conversations":[{"from":"human","value":"<image>\nWhat is it?"},)"
    R"({"from":"gpt","value":"a red circle"}]})";
constexpr char kTwoVideos[] =
    R"({"messages":[{"role":"user","content":[{"type":"text","text":"First"},)"
    R"({"type":"video","video":{"video_file":"a.mp4","frame_indices":[9,0]}},{"type":"text","text":"then"},)"
    R"({"type":"video","video":{"video_file":"a.mp4","frame_indices":[0,9]}},{"type":"text","text":"Which?"}]},)"
    R"({"role":"assistant","content":"the left"}]})";

class JsonlSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::fresh_folder("jsonl_source");
    testing::write_video(folder_ / "a.mp4", {.seconds = 1});
    write_png(folder_ / "p.png", testing::scene_picture(1, 0, {56, 56}), {56, 56});
    LoadOptions options;
    options.random_weights = 5;
    options.dtype = at::kFloat;
    options.trainable = true;
    model_ = load_model(test::make_tiny_model(folder_), options);
  }

  std::unique_ptr<SampleSource> source(const std::string& rows, bool apart = false) const {
    std::ofstream(folder_ / "rows.jsonl") << rows << "\n";
    return make_jsonl_source(*model_, {folder_ / "rows.jsonl", 2, apart}, 1, 0, 0);
  }
  Sample sample(const std::string& row, bool apart = false) const {
    return std::get<Sample>(source(row, apart)->sample(0));
  }
  std::string fault(const std::string& row, bool apart = false) const {
    try {
      source(row, apart);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }
  // The text that is learned; a "|" stands for the end of a turn.
  std::string learned(const TokenRun& run) const {
    std::string text;
    std::vector<std::int64_t> tokens;
    bool closed = false;
    for (std::size_t i = 0; i <= run.labels.size(); ++i) {
      if (i < run.labels.size() && run.labels[i] >= 0) {
        EXPECT_EQ(run.labels[i], run.tokens[i]);
        tokens.push_back(run.labels[i]);
        closed = run.labels[i] == *model_->tokenizer().id_of("<|im_end|>");
      } else if (!tokens.empty()) {
        text += model_->tokenizer().decode(tokens) + (closed ? "|" : "(open)");
        tokens.clear();
      }
    }
    return text;
  }

  std::filesystem::path folder_;
  std::shared_ptr<VideoLanguageModel> model_;
};

TEST_F(JsonlSourceTest, EveryAnswerOfAConversationIsLearnedBehindTheTurnsBeforeIt) {
  const Sample s = sample(kTwoTurns);
  ASSERT_EQ(s.branches.size(), 1u);
  EXPECT_EQ(learned(s.branches[0]), "a red circle|on the left|");
  EXPECT_TRUE(s.media.pixels.defined());
  EXPECT_EQ(s.media_rows.size(), 4u);
}

TEST_F(JsonlSourceTest, ApartEachAnswerHasTheMediaAlone) {
  const Sample s = sample(kTwoTurns, true);
  ASSERT_EQ(s.branches.size(), 2u);
  EXPECT_EQ(learned(s.branches[0]), "a red circle|");
  EXPECT_EQ(learned(s.branches[1]), "on the left|");
  EXPECT_EQ(model_->tokenizer().decode(s.branches[1].tokens).find("circle"), std::string::npos);
}

TEST_F(JsonlSourceTest, AContextAnswerIsReadAndNotLearned) {
  const Sample s = sample(
      R"({"video":"a.mp4","conversations":[{"from":"human","value":"<image>\nWhat is it?"},)"
      R"({"from":"history_gpt","value":"a red circle"},{"from":"human","value":"Where is it?"},)"
      R"({"from":"gpt","value":"on the left"}]})");
  ASSERT_EQ(s.branches.size(), 1u);
  EXPECT_EQ(learned(s.branches[0]), "on the left|");
  EXPECT_NE(model_->tokenizer().decode(s.branches[0].tokens).find("a red circle"),
            std::string::npos);
}

TEST_F(JsonlSourceTest, OtherShapesAreReadByTheirKeys) {
  const Sample s = sample(kLlava);
  EXPECT_EQ(s.media.grid[0][0].item<std::int64_t>(), 2);  // frames
  EXPECT_EQ(learned(s.branches.at(0)), "a red circle|");
}

TEST_F(JsonlSourceTest, SeveralVideosAndFramesInAnyOrder) {
  const Sample s = sample(kTwoVideos);
  ASSERT_EQ(s.media.grid.size(0), 2);
  const std::int64_t half = s.media.pixels.size(0) / 2;
  const Tensor backward = s.media.pixels.slice(0, 0, half), forward = s.media.pixels.slice(0, half);
  EXPECT_FALSE(at::equal(backward, forward));
  const std::int64_t frame = half / 2;
  EXPECT_TRUE(at::equal(backward.slice(0, 0, frame), forward.slice(0, frame)));
  EXPECT_EQ(learned(s.branches.at(0)), "the left|");
}

TEST_F(JsonlSourceTest, WordsAloneTeachToo) {
  const Sample s = sample(kWords);
  EXPECT_FALSE(s.media.pixels.defined());
  EXPECT_TRUE(s.prefix.tokens.empty());
  EXPECT_EQ(learned(s.branches.at(0)), "a circle|");

  // Alone and beside a video they are learned alike: no sample sees another.
  Stage stage;
  stage.name = "test";
  stage.visual_words = stage.event_cells = 1;  // which words alone cannot serve
  Learner learner(model_, {});
  learner.begin_stage(stage);
  const Sample video = sample(kLlava);
  const auto loss_of = [&](const std::vector<Sample>& samples) {
    const Batch batch = make_batch(samples, 0);
    return learner.learn(batch, stage, 1, 1).losses;
  };
  const StepLosses words = loss_of({s}), pictures = loss_of({video}), both = loss_of({s, video});
  EXPECT_GT(words.next_token, 0);
  EXPECT_EQ(words.total, words.next_token);
  EXPECT_NEAR(both.next_token, words.next_token + pictures.next_token, 1e-3);
}

TEST_F(JsonlSourceTest, AMalformedRowIsNamed) {
  EXPECT_EQ(fault(R"({"messages":[{"role":"assistant","content":"x"}]})"),
            "rows.jsonl line 1: turns[0]: is the assistant's, expected the user's; turns "
            "alternate, the user's first");
  EXPECT_EQ(fault(R"({"messages":[{"role":"user","content":"x"}]})"),
            "rows.jsonl line 1: turns: do not end with an answer; end with the assistant's turn");
  EXPECT_EQ(
      fault(R"({"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[)"
            R"({"type":"text","chosen":"a","rejected":"b"}]}]})"),
      "rows.jsonl line 1: is a preference between two answers; leave chosen and rejected out, or "
      "give the row to preference training");
  EXPECT_EQ(fault(R"({"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[)"
                  R"({"type":"text","reference":"gold"}]}]})"),
            "rows.jsonl line 1: turns[1]: has an empty answer; remove the row or give it an "
            "answer");
  EXPECT_EQ(
      fault(
          R"({"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"},{"role":"user","content":[{"type":"image","image":{"image_file":"p.png"}}]},{"role":"assistant","content":"z"}]})",
          true),
      "rows.jsonl line 1: turns[2]: shows media behind the first question; leave out \"apart\"");
  EXPECT_EQ(fault("{\"rows\":1}").rfind("rows.jsonl line 1: ", 0), 0u) << fault("{\"rows\":1}");
}

TEST_F(JsonlSourceTest, WhatTheVideoLacksIsTheRowsFault) {
  const auto outcome =
      source(
          R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4","frame_indices":[99]}}]},{"role":"assistant","content":"x"}]})")
          ->sample(0);
  const auto* note = std::get_if<ErrorNote>(&outcome);
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(note->text(),
            "rows.jsonl line 1: frame_indices: has frame 99 of 10; count frames from 0; mend or "
            "remove the row");
}

}  // namespace
}  // namespace tarsier
