#include "tarsier/train/packing.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <numeric>
#include <set>

#include "tarsier/train/learner.h"
#include "tests/train/fresh_model.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

// Samples of given lengths without a picture in them; a length of 0 is a bad sample.
class Lengths final : public SampleSource {
 public:
  explicit Lengths(std::vector<std::int64_t> lengths) : lengths_(std::move(lengths)) {}
  Outcome<Sample> sample(std::uint64_t number) const override {
    const std::int64_t length = lengths_[number % lengths_.size()];
    if (length == 0) return ErrorNote{std::to_string(number), "is broken", "mend it"};
    Sample sample;
    sample.id = std::to_string(number);
    sample.media.pixels = at::zeros({1, 1});
    sample.media.grid = at::ones({1, 3}, at::kLong);
    const auto tokens = static_cast<std::size_t>(length);
    sample.prefix = {std::vector<std::int64_t>(tokens), std::vector<std::int64_t>(tokens, -1),
                     std::vector<float>(tokens), std::vector<std::int64_t>(3 * tokens)};
    return sample;
  }
  const std::vector<std::int64_t>& word_tokens() const override { return no_words_; }

 private:
  std::vector<std::int64_t> lengths_, no_words_;
};

using Ids = std::vector<std::vector<std::string>>;

Ids ids_of(const StepData& data) {
  Ids ids;
  for (const Batch& batch : data.micro_batches) ids.push_back(batch.ids);
  return ids;
}

Stage packing_stage(std::int64_t budget, std::int64_t micro_batches, std::int64_t window) {
  Stage stage;
  stage.pack_tokens = budget;
  stage.accumulate = micro_batches;
  stage.pack_window = window;
  return stage;
}

TEST(Packing, RanksTogetherMakeWhatOneAloneMakes) {
  const Lengths source({6, 7, 4, 0, 5, 3, 8, 2, 9, 1});
  const Stage stage = packing_stage(10, 4, 3);
  StepPacker alone(source, stage, 0, {});
  StepPacker one(source, stage, 0, {}, {0, 2}), other(source, stage, 0, {}, {1, 2});
  for (int step = 0; step < 5; ++step) {
    const StepData whole = alone.make_step(), first = one.make_step(), second = other.make_step();
    const Ids all = ids_of(whole), left = ids_of(first), right = ids_of(second);
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ((Ids{left[0], right[0], left[1], right[1]}), all);
    for (const StepData* part : {&first, &second}) {
      EXPECT_EQ(part->samples, whole.samples);
      EXPECT_EQ(part->waiting, whole.waiting);
    }
    EXPECT_EQ(first.bad.size(), whole.bad.size());
    EXPECT_TRUE(second.bad.empty()) << "a bad sample is told once";
  }
}

TEST(Packing, EachSampleGoesWhereItFitsFirst) {
  const Lengths source({6, 7, 4, 5, 3, 8, 2});
  StepPacker packer(source, packing_stage(10, 2, 2), 0, {});
  const StepData first = packer.make_step();  // 5 and 8 fit nowhere; 2 comes too late
  EXPECT_EQ(ids_of(first), (Ids{{"0", "2"}, {"1", "4"}}));
  EXPECT_EQ(first.samples, 6u);
  EXPECT_EQ(first.waiting, (std::vector<std::uint64_t>{3, 5}));
  const StepData second = packer.make_step();  // those first; 2 beside 5, 6 waits, 7 waits
  EXPECT_EQ(ids_of(second), (Ids{{"3", "6"}, {"5"}}));
  EXPECT_EQ(second.waiting, (std::vector<std::uint64_t>{7, 8}));
}

TEST(Packing, UsesEverySampleOnceWithinTheBudget) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 97; ++i) lengths.push_back(1 + (i * 37) % 50);
  const Lengths source(lengths);
  StepPacker packer(source, packing_stage(64, 3, 5), 0, {});
  std::vector<int> uses(4000);
  std::uint64_t drawn = 0, waiting = 0;
  double filled = 0;
  for (int step = 0; step < 200; ++step) {
    const StepData data = packer.make_step();
    for (const Batch& batch : data.micro_batches) {
      EXPECT_LE(batch.tokens.numel(), 64);
      filled += static_cast<double>(batch.tokens.numel()) / (200 * 3 * 64);
      for (const std::string& id : batch.ids) ++uses[std::stoul(id)];
    }
    drawn += data.samples;
    waiting = data.waiting.size();
    EXPECT_LE(waiting, 5u);
  }
  for (std::uint64_t number = 0; number < drawn; ++number) EXPECT_LE(uses[number], 1) << number;
  EXPECT_EQ(static_cast<std::uint64_t>(std::accumulate(uses.begin(), uses.end(), 0)),
            drawn - waiting);
  EXPECT_GT(filled, 0.9);
}

TEST(Packing, GoesOnFromAnyStep) {
  const Lengths source({6, 7, 0, 4, 5, 30, 3, 8, 2, 9});
  const Stage stage = packing_stage(10, 2, 3);
  StepPacker unbroken(source, stage, 0, {});
  std::uint64_t next = 0;
  std::vector<std::uint64_t> waiting;
  for (int step = 0; step < 20; ++step) {
    StepPacker resumed(source, stage, next, waiting);
    const StepData expected = unbroken.make_step(), data = resumed.make_step();
    EXPECT_EQ(ids_of(data), ids_of(expected)) << step;
    EXPECT_EQ(data.waiting, expected.waiting);
    EXPECT_EQ(data.samples, expected.samples);
    next += data.samples;
    waiting = data.waiting;
  }
}

TEST(Packing, NamesWhatIsTooLongAndNeverCutsIt) {
  const Lengths source({4, 11, 0, 10});
  StepPacker packer(source, packing_stage(10, 1, 1), 0, {});
  const StepData data = packer.make_step();
  EXPECT_EQ(ids_of(data), (Ids{{"0"}}));
  ASSERT_EQ(data.bad.size(), 2u);
  EXPECT_EQ(
      data.bad[0].text(),
      "1: has 11 tokens, more than pack_tokens 10; raise pack_tokens, or give the stage fewer "
      "frames");
  EXPECT_EQ(data.bad[1].text(), "2: is broken; mend it");
  EXPECT_EQ(data.samples, 4u);
}

TEST(Packing, EndsAStepOfBadSamplesAndNamesAWaitingOneThatIsLost) {
  const Lengths broken({0});
  StepPacker packer(broken, packing_stage(10, 1, 1), 0, {5});
  const StepData data = packer.make_step();
  EXPECT_TRUE(data.micro_batches.empty());
  EXPECT_EQ(data.bad.size(), 64u);
  EXPECT_EQ(data.bad[0].where, "5");
  EXPECT_EQ(data.samples, 63u);
}

// Samples of the synthetic world through the tiny model.
class PackedBatch : public ::testing::Test {
 protected:
  void SetUp() override {
    model = test::fresh_model(test::make_tiny_model(test::fresh_folder("packing")));
    // Wider than fresh weights, so that attention and positions matter.
    const at::NoGradGuard no_grad;
    model->visit(Scope([](const std::string&, Tensor& weight) {
      if (weight.dim() == 2) weight.mul_(4);
    }));
    SynthData data;
    data.dense_captions = 1;
    data.questions = 2;
    const auto source = make_synth_source(*model, data, 1, 0);
    words = static_cast<std::int64_t>(source->word_tokens().size());
    word_tokens = source->word_tokens();
    for (const std::uint64_t number : {1, 2, 3})
      samples.push_back(std::get<Sample>(source->sample(number)));
    batch = make_batch(samples, words);
  }
  // Where sample `i` begins; of the one behind the last, the end.
  std::int64_t begin(std::size_t i) const {
    std::int64_t at = 0;
    for (std::size_t k = 0; k < i; ++k) at += token_count(samples[k]);
    return at;
  }
  Tensor hidden(const Tensor& tokens) const {
    const at::NoGradGuard no_grad;
    const SegmentAttention attention(batch.layout);
    const CausalDecoder& decoder = model->decoder();
    return decoder.forward(decoder.embed(tokens), batch.positions,
                           [&](std::int64_t, const Tensor& q, const Tensor& k, const Tensor& v) {
                             return attention(q, k, v);
                           });
  }

  std::shared_ptr<VideoLanguageModel> model;
  std::int64_t words = 0;
  std::vector<std::int64_t> word_tokens;
  std::vector<Sample> samples;
  Batch batch;
};

TEST_F(PackedBatch, PositionsRestartWithEachSample) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Batch alone = make_batch({&samples[i], 1}, words);
    EXPECT_TRUE(at::equal(batch.positions.slice(1, begin(i), begin(i + 1)), alone.positions));
    EXPECT_EQ(batch.positions.select(1, begin(i)).abs().sum().item<std::int64_t>(), 0);
  }
}

TEST_F(PackedBatch, NothingLeaksFromSampleToSampleOrFromAnswerToAnswer) {
  const Tensor before = hidden(batch.tokens);
  const auto& ends = batch.layout.ends;
  for (std::size_t changed = 0; changed < ends.size(); ++changed) {
    const std::int64_t from = changed == 0 ? 0 : ends[changed - 1];
    Tensor tokens = batch.tokens.clone();
    tokens.slice(0, from, ends[changed]).add_(1).remainder_(800);
    const Tensor difference = (hidden(tokens) - before).abs().amax(1);
    for (std::size_t seen = 0; seen < ends.size(); ++seen) {
      bool reads = false;  // the changed segment is itself or an ancestor
      for (auto at = static_cast<std::int64_t>(seen); at >= 0;
           at = batch.layout.parent[static_cast<std::size_t>(at)])
        reads = reads || at == static_cast<std::int64_t>(changed);
      const double most =
          difference.slice(0, seen == 0 ? 0 : ends[seen - 1], ends[seen]).max().item<double>();
      if (reads) {
        EXPECT_GT(most, 0) << changed << " " << seen;
      } else {
        EXPECT_EQ(most, 0) << changed << " " << seen;
      }
    }
  }
}

TEST_F(PackedBatch, TheLastTokenOfASegmentPredictsNothingOfTheNextSample) {
  std::set<std::int64_t> rows;
  for (std::int64_t i = 0; i < batch.target_rows.numel(); ++i)
    rows.insert(batch.target_rows[i].item<std::int64_t>());
  EXPECT_GT(rows.size(), 10u);
  std::vector<bool> is_parent(batch.layout.ends.size());
  for (const std::int64_t parent : batch.layout.parent) {
    if (parent >= 0) is_parent[static_cast<std::size_t>(parent)] = true;
  }
  for (std::size_t i = 0; i < batch.layout.ends.size(); ++i) {
    const bool targets_of_its_own = is_parent[i] || !rows.contains(batch.layout.ends[i] - 1);
    EXPECT_TRUE(targets_of_its_own) << i;
  }
}

TEST_F(PackedBatch, TeachesWhatItsSamplesTeachApart) {
  Stage stage;
  stage.name = "test";
  stage.visual_words = 0.3;
  Learner learner(model, word_tokens);
  learner.begin_stage(stage);
  const Lesson together = learner.learn(batch, stage, batch.weight_sum, 1);
  StepLosses apart;
  std::vector<Tensor> sums(together.gradients.size());
  for (const Sample& sample : samples) {
    const Batch alone = make_batch({&sample, 1}, words);
    const Lesson lesson = learner.learn(alone, stage, batch.weight_sum, 1.0 / 3);
    apart.add(lesson.losses);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (!lesson.gradients[i].defined()) continue;
      sums[i] = sums[i].defined() ? sums[i] + lesson.gradients[i] : lesson.gradients[i];
    }
  }
  EXPECT_NEAR(together.losses.next_token, apart.next_token, 1e-5);
  EXPECT_NEAR(together.losses.visual_words, apart.visual_words, 1e-5 * apart.visual_words);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    ASSERT_EQ(together.gradients[i].defined(), sums[i].defined());
    if (!sums[i].defined()) continue;
    const double most = (together.gradients[i] - sums[i]).abs().max().item<double>();
    EXPECT_LT(most, 1e-5 * std::max(1.0, sums[i].abs().max().item<double>()))
        << learner.optimizer().parameters()[i].path;
  }
}

}  // namespace
}  // namespace tarsier
