#include "tarsier/train/learner.h"

#include <ATen/ATen.h>

#include <set>

#include "tarsier/base/error.h"
#include "tarsier/models/registry.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/train/data/source.h"
#include "tests/train/fresh_model.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

class LearnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model = test::fresh_model(test::make_tiny_model(test::fresh_folder("learner")));
    SynthData data;
    data.level = "base";
    data.dense_captions = data.interval_captions = 1;
    data.questions = 3;
    source = make_synth_source(*model, data, 1, 0);
    stage.name = "test";
  }
  Sample sample(std::uint64_t number) { return std::get<Sample>(source->sample(number)); }
  std::map<std::string, Tensor> gradients(Learner& learner) {
    std::map<std::string, Tensor> all;
    for (const Optimizer::Parameter& parameter : learner.optimizer().parameters()) {
      if (parameter.gradient.defined()) all[parameter.path] = parameter.gradient.clone();
    }
    learner.optimizer().clear_gradients();
    return all;
  }

  static StepLosses learn(Learner& learner, const Batch& batch, const Stage& stage,
                          double step_weight, double share) {
    const Lesson lesson = learner.learn(batch, stage, step_weight, share);
    learner.optimizer().add_gradients(lesson.gradients);
    return lesson.losses;
  }

  // A question as it is taught, and without what is learned inside it.
  struct TaughtBranch {
    TokenRun run, bare;
    std::string text;
  };
  std::vector<TaughtBranch> taught_branches(SynthData data, std::uint64_t clips) const {
    const auto taught = make_synth_source(*model, data, 1, 0);
    data.hint_weight = data.option_weight = 0;
    const auto plain = make_synth_source(*model, data, 1, 0);
    std::vector<TaughtBranch> branches;
    for (std::uint64_t number = 0; number < clips; ++number) {
      const Sample a = std::get<Sample>(taught->sample(number));
      const Sample b = std::get<Sample>(plain->sample(number));
      EXPECT_EQ(a.branches.size(), b.branches.size());
      for (std::size_t i = 0; i < std::min(a.branches.size(), b.branches.size()); ++i) {
        EXPECT_EQ(a.branches[i].tokens, b.branches[i].tokens);
        branches.push_back(
            {a.branches[i], b.branches[i], model->tokenizer().decode(a.branches[i].tokens)});
      }
    }
    return branches;
  }

  std::shared_ptr<VideoLanguageModel> model;
  std::unique_ptr<SampleSource> source;
  Stage stage;
};

TEST_F(LearnerTest, SamplesArePureFunctionsOfTheirNumber) {
  const Sample a = sample(7), b = sample(7);
  EXPECT_TRUE(at::equal(a.media.pixels, b.media.pixels));
  EXPECT_EQ(a.prefix.tokens, b.prefix.tokens);
  ASSERT_EQ(a.branches.size(), b.branches.size());
  for (std::size_t i = 0; i < a.branches.size(); ++i)
    EXPECT_EQ(a.branches[i].tokens, b.branches[i].tokens);
}

TEST_F(LearnerTest, OnlyAnswersAndTheirEndAreTargets) {
  const Sample s = sample(3);
  for (const std::int64_t label : s.prefix.labels) EXPECT_EQ(label, -1);
  const std::int64_t end = *model->tokenizer().id_of("<|im_end|>");
  for (const TokenRun& branch : s.branches) {
    EXPECT_EQ(branch.labels.back(), end);
    EXPECT_EQ(branch.labels.front(), -1);
  }
  EXPECT_EQ(s.media_rows.size(), 72u);
  EXPECT_EQ(s.visible_words.size(), 72u);
  ASSERT_EQ(s.marker_rows.size(), 8u);
  EXPECT_EQ(
      model->tokenizer().decode({{s.prefix.tokens[static_cast<std::size_t>(s.marker_rows[0])]}}),
      "1");
  EXPECT_EQ(
      model->tokenizer().decode({{s.prefix.tokens[static_cast<std::size_t>(s.marker_rows[7])]}}),
      "8");
}

TEST_F(LearnerTest, CellsAreLabelledWithTheEventsThatPlayInThem) {
  const Level& level = level_named("base");
  std::set<EventKind> seen;
  for (std::uint64_t number = 0; number < 40; ++number) {
    const Clip clip = make_clip(level, Split::train, 1, number);
    const std::vector<double> seconds = sampled_seconds(clip, 8);
    const Sample s = sample(number);
    ASSERT_EQ(s.cell_events.size(), 72u);
    const auto label = [&](std::int64_t frame, Cell cell) {
      return s.cell_events[static_cast<std::size_t>(frame * 9 + cell)];
    };
    for (std::int64_t cell = 0; cell < 9; ++cell)
      EXPECT_EQ(label(0, static_cast<Cell>(cell)).kind, 0);
    for (std::size_t i = 0; i < clip.events.size(); ++i) {
      const Event& event = clip.events[i];
      const FrameInterval frames = frame_interval(event, seconds);
      // A frame that a later event also covers is that one's.
      const std::int64_t frame = frames.first + 1;
      const auto kind = static_cast<std::int64_t>(event.kind) + 1;
      if (i > 0 && frame_interval(clip.events[i - 1], seconds).last >= frame) continue;
      if (i + 1 < clip.events.size() && frame_interval(clip.events[i + 1], seconds).first < frame)
        continue;
      seen.insert(event.kind);
      std::int64_t labelled = 0;
      for (Cell cell = 0; cell < 9; ++cell) labelled += label(frame, cell).kind == kind ? 1 : 0;
      const bool two = event.kind == EventKind::move || event.kind == EventKind::swap;
      EXPECT_EQ(labelled, event.kind == EventKind::cut ? 9 : two ? 2 : 1) << number << " " << kind;
      if (event.kind == EventKind::cut) continue;
      EXPECT_EQ(label(frame, event.actor.cell).kind, kind);
      EXPECT_EQ(label(frame, event.actor.cell).direction,
                static_cast<std::int64_t>(event.direction));
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kEventKinds));
}

TEST_F(LearnerTest, WithoutTextASampleIsItsVideoAlone) {
  SynthData data;
  data.questions = 0;
  const auto wordless = make_synth_source(*model, data, 1, 0);
  const Sample s = std::get<Sample>(wordless->sample(3));
  EXPECT_TRUE(s.branches.empty());
  EXPECT_EQ(s.prefix.tokens, sample(3).prefix.tokens);
  stage.next_token = 0;
  stage.event_cells = stage.event_probe = 1;
  Learner learner(model, wordless->word_tokens());
  learner.begin_stage(stage);
  const Batch batch =
      make_batch({&s, 1}, static_cast<std::int64_t>(wordless->word_tokens().size()));
  const StepLosses losses = learn(learner, batch, stage, 0, 1);
  EXPECT_GT(losses.event_cells, 0);
  EXPECT_NEAR(losses.total, losses.event_cells + losses.event_probe, 1e-5);
}

TEST_F(LearnerTest, CaptionsAndQuestionsDrawTheirLanguage) {
  SynthData data;
  data.dense_captions = data.interval_captions = data.web_captions = data.commentaries = 1;
  data.questions = 4;
  data.languages = {"english", "chinese"};
  const auto both = make_synth_source(*model, data, 1, 0);
  int chinese = 0, all = 0;
  for (std::uint64_t number = 0; number < 12; ++number) {
    const Sample s = std::get<Sample>(both->sample(number));
    for (const TokenRun& branch : s.branches) {
      const std::string text = model->tokenizer().decode(branch.tokens);
      const bool in_chinese =
          text.find("。") != std::string::npos || text.find("？") != std::string::npos;
      chinese += in_chinese ? 1 : 0;
      ++all;
    }
  }
  EXPECT_GE(all, 12 * 8);
  EXPECT_GT(chinese, all / 4);
  EXPECT_LT(chinese, 3 * all / 4);
}

TEST_F(LearnerTest, HintsStandBehindTheNameOfTheThingAskedAbout) {
  SynthData data;
  data.questions = 60;  // all there are
  data.languages = {"english", "chinese"};
  data.hint_weight = 0.25;
  const Tokenizer& tokenizer = model->tokenizer();
  std::map<std::string, int> seen;
  for (const auto& [run, bare, text] : taught_branches(data, 6)) {
    std::vector<std::int64_t> hint, answer;
    std::string read;  // before the hint
    for (std::size_t at = 0; at < run.tokens.size(); ++at) {
      if (bare.labels[at] >= 0) {
        EXPECT_EQ(run.labels[at], bare.labels[at]);
        answer.push_back(run.labels[at]);
      } else if (run.labels[at] >= 0) {
        EXPECT_EQ(run.weights[at], 0.25f);
        if (hint.empty())
          read = tokenizer.decode(std::vector<std::int64_t>(
              run.tokens.begin(), run.tokens.begin() + static_cast<std::ptrdiff_t>(at)));
        hint.push_back(run.labels[at]);
      }
    }
    const auto asks = [&](const char* words) { return text.find(words) != std::string::npos; };
    answer.pop_back();  // the end of the turn
    if (asks("\nA. ") || asks("What color is the background") || asks("How many") ||
        asks("Which frames")) {
      EXPECT_TRUE(hint.empty()) << text;
    } else if (asks("What color is the ")) {
      EXPECT_EQ(hint, answer);
      EXPECT_EQ(read.find(" at the start"), std::string::npos) << read;
      ++seen["colour"];
    } else if (asks("Where is the ")) {
      EXPECT_EQ(hint, answer);
      EXPECT_EQ(read.find(" at the "), std::string::npos) << read;
      ++seen["place"];
    } else if (asks("Is there ")) {  // behind the name, and at the end
      EXPECT_EQ(hint, (std::vector<std::int64_t>{answer[0], answer[0]})) << text;
      EXPECT_EQ(read.find(" in the video"), std::string::npos) << read;
      ++seen["is_there"];
    } else if (asks("吗？")) {
      ++seen["chinese probe"];
      EXPECT_FALSE(hint.empty()) << text;
    }
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST_F(LearnerTest, EachOptionOfAChoiceIsJudged) {
  SynthData data;
  data.questions = 60;  // all there are
  data.languages = {"english", "chinese"};
  data.option_weight = 0.5;
  const Tokenizer& tokenizer = model->tokenizer();
  int choices = 0;
  for (const auto& [run, bare, text] : taught_branches(data, 4)) {
    if (text.find("\nA. ") == std::string::npos) {
      EXPECT_EQ(run.labels, bare.labels);
      continue;
    }
    ++choices;
    std::string verdicts, letter;
    for (std::size_t at = 0; at < run.tokens.size(); ++at) {
      if (bare.labels[at] >= 0) {
        EXPECT_EQ(run.labels[at], bare.labels[at]);
        if (letter.empty()) letter = tokenizer.decode({{bare.labels[at]}});
      } else if (run.labels[at] >= 0) {
        EXPECT_EQ(run.weights[at], 0.5f);
        const std::string verdict = tokenizer.decode({{run.labels[at]}});
        const bool yes = verdict == "yes" || verdict == "是";
        EXPECT_TRUE(yes || verdict == "no" || verdict == "否") << verdict;
        verdicts += yes ? static_cast<char>('A' + verdicts.size()) : '-';
        const std::vector<std::int64_t> before(
            run.tokens.begin(), run.tokens.begin() + static_cast<std::ptrdiff_t>(at));
        const std::string read = tokenizer.decode(before);
        const std::size_t option = read.rfind('\n') + 1;
        EXPECT_EQ(read[option], static_cast<char>('A' + verdicts.size() - 1)) << read;
      }
    }
    ASSERT_EQ(verdicts.size(), 4u) << text;
    EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), '-'), 3);
    EXPECT_NE(verdicts.find(letter), std::string::npos) << verdicts << letter;
  }
  EXPECT_GE(choices, 8);
}

// A tokenizer that splits one of the world's words.
std::shared_ptr<VideoLanguageModel> without_word(const std::string& word) {
  const std::filesystem::path folder = test::make_tiny_model(test::fresh_folder("without_word"));
  nlohmann::json tokenizer = test::read(folder / "tokenizer.json");
  nlohmann::json& merges = tokenizer["model"]["merges"];
  const auto makes_word = [&](const nlohmann::json& merge) {
    return merge[0].get<std::string>() + merge[1].get<std::string>() == "\u0120" + word;
  };
  const std::size_t before = merges.size();
  merges.erase(std::remove_if(merges.begin(), merges.end(), makes_word), merges.end());
  EXPECT_EQ(merges.size() + 1, before) << word;
  std::ofstream(folder / "tokenizer.json") << tokenizer.dump();
  LoadOptions options;
  options.random_weights = 11;
  return load_model(folder, options);
}

TEST_F(LearnerTest, ATokenizerWithoutALevelsWordsIsRefused) {
  SynthData data;
  data.level = "rich";
  data.questions = 1;
  const auto no_figures = without_word("figure");
  EXPECT_THROW(make_synth_source(*no_figures, data, 1, 0), ConfigError);
  data.level = "base";  // which has none
  EXPECT_NO_THROW(make_synth_source(*no_figures, data, 1, 0));
  const auto no_red = without_word("rojo");
  EXPECT_NO_THROW(make_synth_source(*no_red, data, 1, 0));
  data.languages = {"spanish"};
  EXPECT_THROW(make_synth_source(*no_red, data, 1, 0), ConfigError);
}

// Several answers behind one shared video cost one encoding and must teach exactly what they teach
// apart.
TEST_F(LearnerTest, SharedVideoEqualsSeparateSamples) {
  Learner learner(model, {});
  learner.begin_stage(stage);
  const std::vector<Sample> together{sample(1), sample(2)};
  std::vector<Sample> apart;
  for (const Sample& whole : together) {
    for (const TokenRun& branch : whole.branches) {
      apart.push_back(whole);
      apart.back().branches = {branch};
    }
  }
  const Batch one = make_batch(together, 0), many = make_batch(apart, 0);
  ASSERT_DOUBLE_EQ(one.weight_sum, many.weight_sum);
  const double loss_one = learn(learner, one, stage, one.weight_sum, 1).next_token;
  const auto gradients_one = gradients(learner);
  const double loss_many = learn(learner, many, stage, many.weight_sum, 1).next_token;
  const auto gradients_many = gradients(learner);
  EXPECT_NEAR(loss_one, loss_many, 1e-5);
  ASSERT_EQ(gradients_one.size(), gradients_many.size());
  for (const auto& [path, gradient] : gradients_one) {
    EXPECT_TRUE(at::allclose(gradient, gradients_many.at(path), 1e-3, 1e-6)) << path;
  }
}

TEST_F(LearnerTest, AccumulatedMicroBatchesEqualOneBatch) {
  Learner learner(model, {});
  learner.begin_stage(stage);
  const std::vector<Sample> samples{sample(4), sample(5)};
  const Batch whole = make_batch(samples, 0);
  learn(learner, whole, stage, whole.weight_sum, 1);
  const auto expected = gradients(learner);
  for (const Sample& part : samples)
    learn(learner, make_batch({&part, 1}, 0), stage, whole.weight_sum, 0.5);
  const auto accumulated = gradients(learner);
  for (const auto& [path, gradient] : expected)
    EXPECT_TRUE(at::allclose(gradient, accumulated.at(path), 1e-3, 1e-6)) << path;
}

TEST_F(LearnerTest, LearnsASingleSampleByHeart) {
  Learner learner(model, source->word_tokens());
  stage.visual_words = 0.1;
  stage.event_probe = 0.5;
  learner.begin_stage(stage);
  const Sample s = sample(9);
  const Batch batch = make_batch({&s, 1}, static_cast<std::int64_t>(source->word_tokens().size()));
  Workers alone(1);
  double first = 0, last = 0;
  for (int i = 0; i < 60; ++i) {
    last = learn(learner, batch, stage, batch.weight_sum, 1).next_token;
    if (i == 0) first = last;
    learner.optimizer().step({1e-2, 0, 0.9, 0.98, 1e-8}, 1, alone);
  }
  EXPECT_GT(first, 5);
  EXPECT_LT(last, 1);
}

}  // namespace
}  // namespace tarsier
