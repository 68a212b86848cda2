#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>

#include "tarsier/models/registry.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/trainer.h"
#include "tests/tensor/live_bytes.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

constexpr std::int64_t kLayers = 6, kBlocks = 5;

std::filesystem::path make_deep_model(const std::filesystem::path& folder) {
  test::make_tiny_model(folder);
  nlohmann::json config = test::read(folder / "config.json");
  config["text_config"]["num_hidden_layers"] = kLayers;
  config["vision_config"]["depth"] = kBlocks;
  std::ofstream(folder / "config.json") << config.dump(1);
  return folder;
}

class ActivationMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    SynthData data;
    data.dense_captions = 1;
    data.questions = 2;
    plain = load(at::kFloat, false);
    const auto source = make_synth_source(*plain, data, 1, 0);
    words = source->word_tokens();
    std::vector<Sample> samples;
    for (const std::uint64_t number : {1, 2})
      samples.push_back(std::get<Sample>(source->sample(number)));
    batch = make_batch(samples, static_cast<std::int64_t>(words.size()));
    stage.name = "test";
  }
  std::shared_ptr<VideoLanguageModel> load(at::ScalarType type, bool recompute) {
    LoadOptions options;
    options.random_weights = 11;
    options.dtype = type;
    options.trainable = true;
    options.recompute = recompute;
    return load_model(folder, options);
  }
  Lesson learn(const std::shared_ptr<VideoLanguageModel>& model) const {
    Learner learner(model, words);
    learner.begin_stage(stage);
    return learner.learn(batch, stage, batch.weight_sum, 1);
  }
  // The most bytes alive while the batch is learned, its gradients among them.
  std::int64_t peak(const std::shared_ptr<VideoLanguageModel>& model) const {
    Learner learner(model, words, /*logit_chunk=*/16);
    learner.begin_stage(stage);
    const test::LiveBytes bytes;
    const Lesson lesson = learner.learn(batch, stage, batch.weight_sum, 1);
    return bytes.peak();
  }

  const std::filesystem::path folder = make_deep_model(test::fresh_folder("activations"));
  std::shared_ptr<VideoLanguageModel> plain;
  std::vector<std::int64_t> words;
  Batch batch;
  Stage stage;
};

void expect_same(const Lesson& a, const Lesson& b) {
  EXPECT_EQ(a.losses.total, b.losses.total);
  EXPECT_EQ(a.losses.next_token, b.losses.next_token);
  EXPECT_EQ(a.losses.event_cells, b.losses.event_cells);
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    ASSERT_EQ(a.gradients[i].defined(), b.gradients[i].defined()) << i;
    if (!a.gradients[i].defined()) continue;
    EXPECT_TRUE(at::equal(a.gradients[i], b.gradients[i])) << i;
  }
}

TEST_F(ActivationMemory, RecomputeChangesNoBitOfLossesAndGradients) {
  stage.visual_words = 0.3;
  stage.event_probe = stage.event_cells = 0.5;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const auto keeping = load(type, false), recomputing = load(type, true);
    for (const auto& [train, freeze] :
         {std::pair{std::vector<std::string>{""}, std::vector<std::string>{}},
          {{"model."}, {}},
          {{"visual."}, {"visual.blocks.1."}},
          {{"model.layers.3.", "*.q_proj."}, {"*.bias"}}}) {
      stage.train = train;
      stage.freeze = freeze;
      expect_same(learn(recomputing), learn(keeping));
    }
  }
}

TEST_F(ActivationMemory, RecomputeWorksOnSeveralThreads) {
  const Lesson expected = learn(plain);
  Learner learner(load(at::kFloat, true), words);
  learner.begin_stage(stage);
  std::vector<Lesson> lessons(6);
  Workers workers(3);
  workers.run(6, [&](std::int64_t i) {
    lessons[static_cast<std::size_t>(i)] = learner.learn(batch, stage, batch.weight_sum, 1);
  });
  for (const Lesson& lesson : lessons) expect_same(lesson, expected);
}

TEST_F(ActivationMemory, RecomputeKeepsInputsOfLayersAndBlocksAlone) {
  const auto recomputing = load(at::kFloat, true);
  const auto kept_by_tower = [&](const VideoLanguageModel& model) {
    const test::LiveBytes bytes;
    const Tensor media = model.encode(batch.media);
    EXPECT_TRUE(media.requires_grad());
    return bytes.now();
  };
  const auto kept_by_decoder = [&](const VideoLanguageModel& model) {
    const CausalDecoder& decoder = model.decoder();
    const auto attention = std::make_shared<const SegmentAttention>(batch.layout);
    const test::LiveBytes bytes;
    const Tensor out =
        decoder.forward(decoder.embed(batch.tokens), batch.positions,
                        [attention](std::int64_t, const Tensor& q, const Tensor& k,
                                    const Tensor& v) { return (*attention)(q, k, v); });
    EXPECT_TRUE(out.requires_grad());
    return bytes.now();
  };
  // The decoder: one [tokens, 32] a layer, the embedding, the final norm and its output; angles
  // [tokens, 8] twice.
  const std::int64_t tokens = batch.tokens.numel();
  EXPECT_LE(kept_by_decoder(*recomputing), tokens * 4 * (32 * (kLayers + 3) + 2 * 8 + 8));
  EXPECT_GT(kept_by_decoder(*plain), 4 * kept_by_decoder(*recomputing));
  EXPECT_GT(kept_by_tower(*plain), 2 * kept_by_tower(*recomputing));
  EXPECT_LT(peak(recomputing), peak(plain) / 2);
}

// Each objective with each tower frozen: after learning nothing is left but the gradients of what
// learns, and a frozen vision tower keeps nothing of its inside.
TEST_F(ActivationMemory, FrozenTowersCostNoGradientMemory) {
  struct Case {
    const char* name;
    double Stage::*objective;
  };
  for (const Case& each : {Case{"next_token", &Stage::next_token},
                           {"visual_words", &Stage::visual_words},
                           {"event_probe", &Stage::event_probe},
                           {"event_cells", &Stage::event_cells}}) {
    SCOPED_TRACE(each.name);
    stage.next_token = 0;
    stage.*each.objective = 1;
    stage.train = {""};
    stage.freeze = {};
    const std::int64_t all = peak(plain);
    for (const std::string tower : {"visual.", "model.layers."}) {
      SCOPED_TRACE(tower);
      stage.freeze = {tower};
      Learner learner(plain, words);
      learner.begin_stage(stage);
      std::int64_t learned = 0, left = 0;
      {
        const test::LiveBytes bytes;
        const Lesson lesson = learner.learn(batch, stage, batch.weight_sum, 1);
        left = bytes.now();
        for (std::size_t i = 0; i < lesson.gradients.size(); ++i) {
          if (!lesson.gradients[i].defined()) continue;
          EXPECT_FALSE(learner.optimizer().parameters()[i].path.starts_with(tower)) << i;
          learned += static_cast<std::int64_t>(lesson.gradients[i].nbytes());
        }
      }
      EXPECT_GT(learned, 0);
      EXPECT_LE(left, learned);
      EXPECT_LE(peak(plain), all);
    }
    stage.freeze = {"visual."};
    Learner learner(plain, words);
    learner.begin_stage(stage);
    const test::LiveBytes bytes;
    const Tensor media = plain->encode(batch.media);
    EXPECT_FALSE(media.requires_grad());
    EXPECT_LE(bytes.now(), static_cast<std::int64_t>(media.nbytes()));
    stage.*each.objective = 0;
  }
}

TEST(RecomputeSetting, ChangesNoBitOfARun) {
  const std::filesystem::path folder = test::fresh_folder("recompute_run");
  const auto file =
      test::write_recipe(folder, test::make_tiny_model(folder), [](nlohmann::json& recipe) {
        recipe["workers"] = 2;
        recipe["stages"][1]["freeze"] = {"visual.blocks.0.mlp."};
      });
  const auto weights = [&](const std::string& name, const std::vector<std::string>& settings) {
    EXPECT_EQ(train(read_recipe(file, settings), {folder / name}), TrainOutcome::finished);
    std::ifstream stream(folder / name / "model" / "model.safetensors", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  EXPECT_TRUE(weights("keeping", {}) == weights("recomputing", {"recompute=true"}));
}

}  // namespace
}  // namespace tarsier
