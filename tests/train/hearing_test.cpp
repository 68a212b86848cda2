// Training of models that hear: what a sample lets hear reaches the towers of sound, and what it
// teaches comes back to them.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tarsier/synth/scene.h"
#include "tarsier/synth/sounds.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/media_cache.h"
#include "tests/train/fresh_model.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

constexpr std::int64_t kFrames = 8, kTokensOfAFrame = 9, kTokensOfSound = 60;

class HearingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = test::fresh_model(test::make_tiny_hearing_model(test::fresh_folder("hearing")));
    data_.level = "av";
    data_.dense_captions = 1;
    source_ = make_synth_source(*model_, data_, 1, 0);
    data_.level = "base";
    silent_ = make_synth_source(*model_, data_, 1, 0);
  }
  static Sample drawn(const SampleSource& source, std::uint64_t number) {
    return std::get<Sample>(source.sample(number));
  }
  // By token of sound.
  static std::vector<VisibleWords> words_heard(const Sample& sample) {
    std::vector<VisibleWords> tokens;
    auto row = sample.visible_words.begin();
    for (const MediaRun& run : sample.media.layout.at(0).runs) {
      if (run.modality == Modality::audio) tokens.insert(tokens.end(), row, row + run.tokens);
      row += run.tokens;
    }
    return tokens;
  }
  Tensor weight(const std::string& path) const { return test::weight_of(*model_, path); }

  std::shared_ptr<VideoLanguageModel> model_;
  SynthData data_;
  std::unique_ptr<SampleSource> source_, silent_;
};

TEST_F(HearingTest, AClipWithSoundsIsHeardAndASilentOneIsNot) {
  const Sample heard = drawn(*source_, 1), silent = drawn(*silent_, 1);
  ASSERT_TRUE(heard.media.mel.defined());
  EXPECT_EQ(heard.media.mel.size(0), 1);
  EXPECT_EQ(std::ssize(heard.media_rows), kFrames * kTokensOfAFrame + kTokensOfSound);
  EXPECT_FALSE(silent.media.mel.defined());
  EXPECT_EQ(std::ssize(silent.media_rows), kFrames * kTokensOfAFrame);
}

TEST_F(HearingTest, EachTokenOfSoundIsToNameWhatItHears) {
  const Sample sample = drawn(*source_, 1);
  const Clip clip = make_clip(level_named("av"), Split::train, data_.seed, 1);
  ASSERT_FALSE(clip.sounds.empty());
  ASSERT_EQ(sample.visible_words.size(), sample.media_rows.size());
  ASSERT_EQ(sample.cell_events.size(), sample.media_rows.size());
  std::size_t row = 0;
  std::int64_t heard = 0;
  for (const MediaRun& run : sample.media.layout.at(0).runs) {
    for (std::int64_t token = run.step; token < run.step + run.tokens; ++token, ++row) {
      if (run.modality != Modality::audio) continue;
      const double begin = 0.5 * static_cast<double>(token);
      const bool sounds = std::any_of(clip.sounds.begin(), clip.sounds.end(), [&](const auto& s) {
        return s.start < begin + 0.5 && s.end > begin;
      });
      EXPECT_EQ(!sample.visible_words[row].empty(), sounds) << token;
      EXPECT_EQ(sample.cell_events[row].kind, -1);
      ++heard;
    }
  }
  EXPECT_EQ(heard, kTokensOfSound);
  EXPECT_EQ(row, sample.media_rows.size());
}

// A number of beeps and a direction are heard over several tokens: each names its part of them.
TEST_F(HearingTest, ATokenNamesItsPartOfBeepsAndSweeps) {
  const std::vector<std::int64_t> words = source_->word_tokens();
  const auto place_of = [&](const std::string& word) {
    return std::find(words.begin(), words.end(), model_->tokenizer().encode(word).at(0)) -
           words.begin();
  };
  const auto low = place_of(" low"), high = place_of(" high");
  int sweeps = 0, beeps = 0;
  for (std::uint64_t number = 0; number < 12; ++number) {
    const std::vector<VisibleWords> tokens = words_heard(drawn(*source_, number));
    const Clip clip = make_clip(level_named("av"), Split::train, data_.seed, number);
    for (const ClipSound& sound : clip.sounds) {
      const bool alone = std::none_of(clip.sounds.begin(), clip.sounds.end(), [&](const auto& s) {
        return !(s == sound) && s.start < sound.end + 0.5 && s.end > sound.start - 0.5;
      });
      if (!alone) continue;  // its tokens name another sound's parts too
      std::int64_t begun = 0;
      std::vector<std::ptrdiff_t> pitches;
      for (auto token = static_cast<std::size_t>(sound.start / 0.5);
           0.5 * static_cast<double>(token) < sound.end; ++token) {
        for (const std::int64_t word : tokens[token]) {
          for (std::int64_t digit = 1; digit <= 3; ++digit)
            if (word == place_of(std::to_string(digit))) begun += digit;
          if (word == low || word == high) pitches.push_back(word);
        }
      }
      EXPECT_EQ(begun, beeps_in(sound.kind));
      beeps += begun > 0 ? 1 : 0;
      if (sound.kind != SoundKind::rising_sweep && sound.kind != SoundKind::falling_sweep) continue;
      ++sweeps;
      const bool rises = sound.kind == SoundKind::rising_sweep;
      EXPECT_EQ(pitches.front(), rises ? low : high);
      EXPECT_EQ(pitches.back(), rises ? high : low);
    }
  }
  EXPECT_GT(sweeps, 1);
  EXPECT_GT(beeps, 1);
}

TEST_F(HearingTest, ABatchOfHeardAndSilentClipsIsEachOfThem) {
  const std::vector<Sample> samples{drawn(*source_, 1), drawn(*silent_, 1), drawn(*source_, 2)};
  const Batch batch = make_batch(samples, 0);
  const at::NoGradGuard no_grad;
  const Tensor all = model_->encode(batch.media);
  std::vector<Tensor> each;
  for (const Sample& sample : samples) each.push_back(model_->encode(sample.media));
  EXPECT_TRUE(at::allclose(all, at::cat(each), 1e-5, 1e-6));
  MediaCache cache(1 << 24);
  EXPECT_TRUE(at::allclose(cache.tokens_of(*model_, batch, batch), all, 1e-5, 1e-6));
  cache.tokens_of(*model_, batch, batch);
  EXPECT_EQ(cache.hits(), 3);
}

TEST_F(HearingTest, TheSameFramesWithAnotherSoundAreEncodedAnew) {
  Sample sample = drawn(*source_, 1);
  const Batch one = make_batch(std::span(&sample, 1), 0);
  sample.media.mel = sample.media.mel + 0.5;
  const Batch other = make_batch(std::span(&sample, 1), 0);
  MediaCache cache(1 << 24);
  cache.tokens_of(*model_, one, one);
  cache.tokens_of(*model_, other, other);
  EXPECT_EQ(cache.hits(), 0);
}

TEST_F(HearingTest, GradientsReachTheEar) {
  const Sample sample = drawn(*source_, 1);
  const auto words = static_cast<std::int64_t>(source_->word_tokens().size());
  const Batch batch = make_batch(std::span(&sample, 1), words);
  const Tensor first = weight("audio.conv1.weight"), query = weight("audio.q_tokens");
  ASSERT_TRUE(first.defined() && query.defined());
  for (const bool by_words : {true, false}) {
    Stage stage;
    stage.name = "test";
    stage.train = {"audio."};
    stage.next_token = by_words ? 0 : 1;
    stage.visual_words = by_words ? 1 : 0;
    Learner learner(model_, source_->word_tokens());
    learner.begin_stage(stage);
    const Lesson lesson = learner.learn(batch, stage, batch.weight_sum, 1);
    EXPECT_GT(lesson.losses.total, 0);
    const auto gradient_of = [&](const Tensor& wanted) {
      const auto parameters = learner.optimizer().parameters();
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (parameters[i].weight.is_same(wanted)) return lesson.gradients.at(i);
      }
      return Tensor();
    };
    for (const Tensor& wanted : {first, query}) {
      const Tensor gradient = gradient_of(wanted);
      ASSERT_TRUE(gradient.defined());
      EXPECT_GT(gradient.abs().max().item<double>(), 0);
    }
    EXPECT_FALSE(gradient_of(weight("visual.patch_embed.proj.weight")).defined());
  }
}

}  // namespace
}  // namespace tarsier
