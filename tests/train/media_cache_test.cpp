#include "tarsier/train/media_cache.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tarsier/train/data/source.h"
#include "tarsier/train/learner.h"
#include "tests/train/fresh_model.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

class MediaCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = test::fresh_model(test::make_tiny_model(test::fresh_folder("media_cache")));
    SynthData data;
    data.dense_captions = 1;
    source_ = make_synth_source(*model_, data, 1, 0);
  }
  Batch batch(std::initializer_list<std::uint64_t> numbers) const {
    std::vector<Sample> samples;
    for (const std::uint64_t number : numbers)
      samples.push_back(std::get<Sample>(source_->sample(number)));
    return make_batch(samples, 0);
  }

  std::shared_ptr<VideoLanguageModel> model_;
  std::unique_ptr<SampleSource> source_;
};

TEST_F(MediaCacheTest, TokensAreThoseOfTheTowerWhateverElseIsInTheBatch) {
  MediaCache cache(1 << 20);
  const Batch both = batch({1, 2}), second = batch({2});
  const at::NoGradGuard no_grad;
  const Tensor tokens = cache.tokens_of(*model_, both, both);
  EXPECT_TRUE(at::allclose(tokens, model_->encode(both.media), 1e-5, 1e-5));
  EXPECT_EQ(cache.hits(), 0);
  const Tensor alone = cache.tokens_of(*model_, second, second);
  EXPECT_EQ(cache.hits(), 1);
  MediaCache fresh(1 << 20);
  EXPECT_TRUE(at::equal(alone, fresh.tokens_of(*model_, second, second)));
}

TEST_F(MediaCacheTest, WithoutRoomNothingIsKept) {
  MediaCache cache(16);
  const Batch one = batch({1});
  cache.tokens_of(*model_, one, one);
  cache.tokens_of(*model_, one, one);
  EXPECT_EQ(cache.hits(), 0);
}

TEST_F(MediaCacheTest, IsUsedWhereTheTowersDoNotLearn) {
  const Batch one = batch({1});
  Stage stage;
  stage.name = "test";
  Learner learner(model_, {});
  learner.keep_media(1 << 20);
  stage.train = {"model.layers."};
  learner.begin_stage(stage);
  const double first = learner.learn(one, stage, one.weight_sum, 1).losses.total;
  EXPECT_EQ(learner.learn(one, stage, one.weight_sum, 1).losses.total, first);
  EXPECT_EQ(learner.media_cache()->hits(), 1);
  stage.train = {""};
  learner.begin_stage(stage);
  learner.learn(one, stage, one.weight_sum, 1);
  EXPECT_EQ(learner.media_cache()->hits(), 1);
}

}  // namespace
}  // namespace tarsier
