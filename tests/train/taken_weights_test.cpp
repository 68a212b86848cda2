#include "tarsier/train/taken_weights.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/train/export.h"
#include "tests/train/fresh_model.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class TakenWeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path folder = test::make_tiny_model(test::fresh_folder("taken_from"));
    talker_ = test::fresh_model(folder, 1);
    saved_ = test::fresh_folder("taken_saved");
    save(*talker_, folder);
    listener_ = test::fresh_model(test::make_tiny_hearing_model(test::fresh_folder("taken_to")), 2);
  }
  void save(VideoLanguageModel& model, const fs::path& folder) const {
    Recipe recipe;
    recipe.model = folder;
    recipe.export_dtype = "f32";
    export_model(model, recipe, saved_);
  }
  // As it is now.
  static Tensor weight(VideoLanguageModel& model, const std::string& path) {
    return test::weight_of(model, path).detach().clone();
  }
  std::string refusal(const std::vector<std::string>& patterns) {
    try {
      take_weights(*listener_, std::vector<TakenWeights>{{saved_, patterns}});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  }

  fs::path saved_;
  std::shared_ptr<VideoLanguageModel> talker_, listener_;
};

TEST_F(TakenWeightsTest, ADecoderIsTakenAndTheTowersStayFresh) {
  const Tensor ear = weight(*listener_, "audio.conv1.weight");
  const Tensor words = weight(*listener_, "model.embed_tokens.weight");
  take_weights(*listener_, std::vector<TakenWeights>{{saved_, {"model."}}});
  const std::string layer = "model.layers.1.mlp.down_proj.weight";
  EXPECT_TRUE(at::equal(weight(*listener_, layer), weight(*talker_, layer)));
  EXPECT_TRUE(at::equal(weight(*listener_, "audio.conv1.weight"), ear));
  const Tensor known = weight(*talker_, "model.embed_tokens.weight");
  const Tensor now = weight(*listener_, "model.embed_tokens.weight");
  ASSERT_GT(now.size(0), known.size(0));
  EXPECT_TRUE(at::equal(now.slice(0, 0, known.size(0)), known));
  EXPECT_TRUE(at::equal(now.slice(0, known.size(0)), words.slice(0, known.size(0))));
}

TEST_F(TakenWeightsTest, PatternsThatNameNothingAreRefused) {
  EXPECT_THAT(refusal({"model.", "audio."}),
              HasSubstr("weights_from: 'audio.' is the beginning of no path that"));
}

TEST_F(TakenWeightsTest, OtherShapesAreRefused) {
  const fs::path folder = test::make_tiny_model(test::fresh_folder("taken_wide"));
  nlohmann::json config = test::read(folder / "config.json");
  config["text_config"]["intermediate_size"] = 64;
  std::ofstream(folder / "config.json") << config.dump(1);
  const auto wide = test::fresh_model(folder, 1);
  save(*wide, folder);
  EXPECT_THAT(refusal({"model."}), HasSubstr("[64, 32], the model's is [48, 32]"));
}

}  // namespace
}  // namespace tarsier
