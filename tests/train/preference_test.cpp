#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/models/registry.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/forward.h"
#include "tarsier/train/gradients.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/preference/pair_weights.h"
#include "tests/data/small_videos.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;

constexpr char kPair[] =
    R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4"}},)"
    R"({"type":"text","text":"What happens?"}]},{"role":"assistant","content":[{"type":"text",)"
    R"("text":"The red circle moves left.","chosen":"The red circle moves right.",)"
    R"("rejected":"The blue star spins and then it grows."}]}]PAIR})";
constexpr char kOther[] =
    R"({"video":"a.mp4","conversations":[{"from":"human","value":"<video>\nDescribe it."},)"
    R"({"from":"gpt","value":"A square."},{"from":"chosen","value":"A big square."},)"
    R"({"from":"reject","value":"Nothing."}]})";
constexpr char kAnswer[] =
    R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4"}},)"
    R"({"type":"text","text":"What is it?"}]},{"role":"assistant","content":"a red circle"}]})";

std::string with_pair(const std::string& pair) {
  std::string row = kPair;
  return row.replace(row.find("PAIR"), 4, pair.empty() ? "" : ",\"pair\":" + pair);
}

class PreferenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::fresh_folder("preference");
    testing::write_video(folder_ / "a.mp4", {.seconds = 1});
    model_ = load(at::kFloat);
    stage_.name = "test";
    stage_.next_token = 0;
    stage_.preference.emplace();
  }

  std::shared_ptr<VideoLanguageModel> load(at::ScalarType type, std::uint64_t seed = 5) const {
    LoadOptions options;
    options.random_weights = seed;
    options.dtype = type;
    options.trainable = true;
    return load_model(test::make_tiny_model(folder_), options);
  }
  std::unique_ptr<SampleSource> source(const std::string& rows, const PairRules& rules = {}) const {
    std::ofstream(folder_ / "rows.jsonl") << rows << "\n";
    return make_jsonl_source(*model_, {folder_ / "rows.jsonl", 2}, 1, 0, 0, rules);
  }
  Sample sample(const std::string& row, const PairRules& rules = {}) const {
    return std::get<Sample>(source(row, rules)->sample(0));
  }
  // Of a row that is refused before training, or when it is drawn.
  std::string fault(const std::string& row, const PairRules& rules = {}) const {
    try {
      const Outcome<Sample> outcome = source(row, rules)->sample(0);
      const auto* note = std::get_if<ErrorNote>(&outcome);
      return note == nullptr ? "no error" : note->text();
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  std::shared_ptr<Reference> reference(std::shared_ptr<VideoLanguageModel> model) const {
    return std::make_shared<Reference>(std::move(model), Reference::Weights::own,
                                       folder_ / "reference.jsonl", "it", 7);
  }

  // As a step asks, and remembers what it met.
  static std::vector<AnswerLogProbs> log_probs_of(Reference& reference, const Batch& batch) {
    MetPairs met;
    std::vector<AnswerLogProbs> all = reference.log_probs(batch, met);
    reference.remember(met);
    return all;
  }

  std::filesystem::path folder_;
  std::shared_ptr<VideoLanguageModel> model_;
  Stage stage_;
};

TEST_F(PreferenceTest, APairSharesAllBeforeItsAnswers) {
  const Sample pair = sample(with_pair(""), {.truth = true, .reference = {}});
  ASSERT_EQ(pair.branches.size(), 3u);
  for (const TokenRun& branch : pair.branches) EXPECT_GE(branch.labels.front(), 0);
  EXPECT_EQ(pair.branches[0].positions[0], pair.branches[1].positions[0]);
  ASSERT_TRUE(pair.pair.has_value());
  EXPECT_EQ(pair.pair->key.size(), 64u);
  EXPECT_EQ(pair.pair->key, sample(with_pair("")).pair->key);
  EXPECT_NE(pair.pair->key, sample(kOther).pair->key);
  EXPECT_EQ(sample(with_pair("")).branches.size(), 2u);
}

// The sum of log p over an answer, from a pass of its own with all logits at once.
Tensor separate_log_prob(VideoLanguageModel& model, const Sample& sample, std::size_t branch) {
  Sample alone = sample;
  alone.pair.reset();
  alone.branches = {sample.branches[branch]};
  const Batch batch = make_batch({{alone}}, 0);
  const Tensor residual = decode_batch(model.decoder(), batch, model.encode(batch.media));
  const Tensor logits =
      at::linear(residual.index_select(0, batch.target_rows), output_head(model)).to(at::kDouble);
  return at::log_softmax(logits, -1).gather(1, batch.labels.unsqueeze(1)).sum();
}

TEST_F(PreferenceTest, SharedPrefixEqualsSeparatePasses) {
  const auto first = load(at::kFloat, 6);
  std::vector<Sample> samples{sample(with_pair(""), {.truth = true, .reference = {}}),
                              sample(kOther, {.truth = true, .reference = {}}), sample(kAnswer)};
  stage_.preference->truth_nll = 0.3;
  stage_.preference->chosen_nll = 0.2;
  stage_.preference->shape.beta = 0.5;
  Learner learner(model_, {}, 5);
  learner.begin_stage(stage_);
  learner.set_reference(reference(first));
  const Lesson together = learner.learn(make_batch(samples, 0), stage_, 3, 1);

  std::vector<Tensor> terms;
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor chosen = separate_log_prob(*model_, samples[i], 0),
                 rejected = separate_log_prob(*model_, samples[i], 1),
                 truth = separate_log_prob(*model_, samples[i], 2);
    const double by_reference =
        (separate_log_prob(*first, samples[i], 0) - separate_log_prob(*first, samples[i], 1))
            .item<double>();
    const auto tokens = [&](std::size_t branch) {
      return static_cast<double>(samples[i].branches[branch].tokens.size());
    };
    terms.push_back(-at::log_sigmoid((chosen - rejected - by_reference) * 0.5) -
                    truth * 0.3 / tokens(2) - chosen * 0.2 / tokens(0));
  }
  const double answer_tokens =
      static_cast<double>(make_batch({{samples[2]}}, 0).target_rows.numel());
  terms.push_back(-separate_log_prob(*model_, samples[2], 0) / answer_tokens);
  const Tensor expected = at::stack(terms).sum() / 3;
  EXPECT_NEAR(together.losses.total, expected.item<double>(), 1e-5 * expected.item<double>());

  std::vector<Tensor> weights;
  for (const auto& parameter : learner.optimizer().parameters())
    weights.push_back(parameter.weight);
  const std::vector<Tensor> gradients = gradients_of(expected, weights);
  double product = 0, norm_a = 0, norm_b = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_EQ(gradients[i].defined(), together.gradients[i].defined());
    if (!gradients[i].defined()) continue;
    const Tensor a = gradients[i].to(at::kDouble), b = together.gradients[i].to(at::kDouble);
    product += (a * b).sum().item<double>();
    norm_a += a.square().sum().item<double>();
    norm_b += b.square().sum().item<double>();
  }
  EXPECT_GT(product / std::sqrt(norm_a * norm_b), 0.99999);
  EXPECT_NEAR(std::sqrt(norm_b / norm_a), 1, 1e-4);
}

TEST_F(PreferenceTest, PolicyAndReferenceAgreeToTheBitBeforeTheFirstUpdate) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    std::filesystem::remove(folder_ / "reference.jsonl");
    model_ = load(type);
    Learner learner(model_, {}, 5);
    learner.begin_stage(stage_);
    learner.set_reference(reference(load(type)));
    const std::vector<Sample> samples{sample(with_pair("")), sample(kOther)};
    const Lesson lesson = learner.learn(make_batch(samples, 0), stage_, 2, 1);
    EXPECT_EQ(lesson.losses.pairs.distance, 0);
    EXPECT_EQ(lesson.losses.pairs.accuracy, 1);  // two ties, half each
    EXPECT_NEAR(lesson.losses.total, std::log(2.0), 1e-12);
    EXPECT_EQ(lesson.losses.pairs.pairs, 2);
    EXPECT_LT(lesson.losses.pairs.log_prob_chosen, 0);
    EXPECT_EQ(lesson.losses.pairs.tokens_chosen,
              static_cast<double>(samples[0].branches[0].tokens.size() +
                                  samples[1].branches[0].tokens.size()));
  }
}

TEST_F(PreferenceTest, TheReferenceIsAskedOnceAndRemembered) {
  const Batch batch = make_batch({{sample(with_pair(""))}}, 0);
  const std::vector<AnswerLogProbs> computed = log_probs_of(*reference(load(at::kFloat, 1)), batch);
  EXPECT_LT(computed.at(0).chosen, 0);
  {
    const auto kept = reference(load(at::kFloat, 1));
    log_probs_of(*kept, batch);
    kept->flush();
  }
  // Another model's numbers would be others: these come from the file.
  const std::vector<AnswerLogProbs> read = log_probs_of(*reference(load(at::kFloat, 2)), batch);
  EXPECT_EQ(read.at(0).chosen, computed.at(0).chosen);
  EXPECT_EQ(read.at(0).rejected, computed.at(0).rejected);
  try {
    Reference(load(at::kFloat), Reference::Weights::own, folder_ / "reference.jsonl", "another", 7);
    FAIL();
  } catch (const CheckpointError& error) {
    EXPECT_EQ(error.note.text(), (folder_ / "reference.jsonl").string() +
                                     ": is of another reference policy; remove it, or use another "
                                     "--out");
  }
}

TEST_F(PreferenceTest, GuardsRefuseARowByItsLine) {
  const std::string reference(64, 'a');
  const PairRules rules{.truth = false, .reference = reference};
  EXPECT_EQ(fault(with_pair(""), rules), "no error");
  std::string same = with_pair("");
  same.replace(same.find("The blue star spins and then it grows."), 38,
               "The red circle moves right.");
  EXPECT_THAT(fault(same), HasSubstr("rows.jsonl line 1: chosen: is the same as rejected"));
  std::string empty = with_pair("");
  empty.replace(empty.find("The red circle moves right."), 27, " ");
  EXPECT_THAT(fault(empty), HasSubstr("rows.jsonl line 1: chosen: is empty"));
  EXPECT_THAT(fault(with_pair(R"({"rejected":{"finish":"length"}})")),
              HasSubstr("rows.jsonl line 1: rejected: was cut: its sampling ended by 'length'"));
  EXPECT_THAT(
      fault(with_pair(R"({"sampling":{"model":")" + std::string(64, 'b') + R"("}})"), rules),
      HasSubstr("rows.jsonl line 1: pair.sampling: is of the model bbbbbbbbbbbb, the reference is "
                "aaaaaaaaaaaa"));
  EXPECT_THAT(fault(with_pair(R"({"reference":{"model":"c","chosen":-1,"rejected":-2}})"), rules),
              HasSubstr("rows.jsonl line 1: pair.reference: is of the model c, the reference is"));
  EXPECT_THAT(fault(with_pair(R"({"reference":{"model":"c","chosen":"x","rejected":-2}})")),
              HasSubstr("reference.chosen: is a string"));
  EXPECT_THAT(fault(with_pair(R"({"sampling":{"video":")" + std::string(64, '0') + R"("}})")),
              HasSubstr("pair.sampling.video: is 000000000000, the row's is"));
  EXPECT_THAT(fault(with_pair(R"({"sampling":{"sound":")" + std::string(64, '0') + R"("}})")),
              HasSubstr("pair.sampling.sound: is 000000000000, the row's is not there: a pair of "
                        "another sound; make the pair of the sound that the row has"));
  EXPECT_EQ(fault(with_pair(R"({"sampling":{"video":")" + sha256_of_file(folder_ / "a.mp4") +
                            R"(","model":")" + reference + R"("}})"),
                  rules),
            "no error");
  std::string untrue = with_pair("");
  untrue.replace(untrue.find("The red circle moves left."), 26, "");
  EXPECT_EQ(fault(untrue), "no error");
  EXPECT_THAT(fault(untrue, {.truth = true, .reference = {}}),
              HasSubstr("rows.jsonl line 1: turns: has no true answer beside the pair"));
}

TEST_F(PreferenceTest, ARowMayBringItsReference) {
  const Sample pair =
      sample(with_pair(R"({"reference":{"model":"m","chosen":-11.5,"rejected":-22.25}})"));
  const std::vector<AnswerLogProbs> given =
      log_probs_of(*reference(load(at::kFloat)), make_batch({{pair}}, 0));
  EXPECT_EQ(given.at(0).chosen, -11.5);
  EXPECT_EQ(given.at(0).rejected, -22.25);
}

TEST_F(PreferenceTest, WithoutAPreferenceStagePairsAreRefused) {
  std::ofstream(folder_ / "rows.jsonl") << with_pair("") << "\n";
  EXPECT_THROW(make_jsonl_source(*model_, {folder_ / "rows.jsonl", 2}, 1, 0, 0), ConfigError);
}

}  // namespace
}  // namespace tarsier
