// What a step of preference training costs beside the ways it is done elsewhere, one pair, an
// adapter on a frozen model: all of a pair behind one video with a reference that is known, against
// a pass for each sequence with a reference that is asked each time. Every pass is this library's;
// only what is computed differs, so the ratio of arithmetic is the ceiling of each gain.
//
// usage: preference_step [HIDDEN [LAYERS [ROUNDS]]]     defaults 512 8 5
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "benchmarks/train/timing.h"
#include "tarsier/models/registry.h"
#include "tarsier/nn/lora.h"
#include "tarsier/train/forward.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/run_setup.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFrames = 16, kRows = 16, kColumns = 16;  // 1,024 media tokens
constexpr std::int64_t kAnswer = 100, kQuestion = 24, kLogitChunk = 32;

// The default model's files with a network of this size.
fs::path write_model(const fs::path& assets, const fs::path& folder, std::int64_t hidden,
                     std::int64_t layers) {
  fs::create_directories(folder);
  for (const fs::directory_entry& entry : fs::directory_iterator(assets)) {
    if (entry.path().extension() != ".safetensors")
      fs::copy_file(entry.path(), folder / entry.path().filename(),
                    fs::copy_options::overwrite_existing);
  }
  std::ifstream stream(assets / "config.json");
  nlohmann::json config = nlohmann::json::parse(stream);
  config["text_config"].update(
      {{"hidden_size", hidden},
       {"intermediate_size", 4 * hidden},
       {"num_hidden_layers", layers},
       {"num_attention_heads", hidden / 64},
       {"num_key_value_heads", std::max<std::int64_t>(1, hidden / 256)},
       {"rope_scaling", {{"type", "mrope"}, {"mrope_section", {8, 12, 12}}}}});
  config["vision_config"].update({{"hidden_size", hidden}});
  std::ofstream(folder / "config.json") << config.dump(1);
  return folder;
}

TokenRun run_of(std::int64_t tokens, std::int64_t vocab, std::int64_t position, bool learned) {
  TokenRun run;
  const Tensor ids = at::randint(vocab, {tokens}, at::kLong);
  run.tokens.assign(ids.const_data_ptr<std::int64_t>(),
                    ids.const_data_ptr<std::int64_t>() + tokens);
  run.labels = learned ? run.tokens : std::vector<std::int64_t>(run.tokens.size(), -1);
  run.weights.assign(run.tokens.size(), learned ? 1.0f : 0.0f);
  for (int axis = 0; axis < 3; ++axis) {
    for (std::int64_t i = 0; i < tokens; ++i) run.positions.push_back(position + i);
  }
  return run;
}

// A pair about one video, with its true answer.
Sample make_pair(std::int64_t vocab) {
  const std::int64_t media = kFrames * kRows * kColumns / 4;
  Sample sample;
  sample.id = "pair";
  sample.media.pixels = at::randn({kFrames * kRows * kColumns, 3 * 2 * 14 * 14});
  sample.media.grid = at::tensor({kFrames, kRows, kColumns}, at::kLong).view({1, 3});
  sample.prefix = run_of(media + kQuestion, vocab, 0, false);
  for (std::int64_t i = 0; i < media; ++i) sample.media_rows.push_back(4 + i);
  for (int i = 0; i < 3; ++i)
    sample.branches.push_back(run_of(kAnswer, vocab, media + kQuestion, true));
  sample.pair = SamplePair{"0000000000000070", AnswerLogProbs{-100, -100}};
  return sample;
}

// Each answer as a sequence of its own.
std::vector<Sample> apart(const Sample& pair, std::size_t answers) {
  std::vector<Sample> all;
  for (std::size_t i = 0; i < answers; ++i) {
    all.push_back(pair);
    all.back().pair.reset();
    all.back().branches = {pair.branches[i]};
  }
  return all;
}

struct Cost {
  std::vector<double> seconds;
  double flops = 0;
};

class Bench {
 public:
  Bench(const fs::path& directory, const fs::path& scratch) {
    LoadOptions load;
    load.random_weights = 1;
    load.dtype = at::kFloat;
    load.trainable = true;
    model_ = load_model(directory, load);
    adapter_ = std::make_shared<const TrainableAdapter>(
        *model_, AdapterShape{16, 32, {"q_proj", "k_proj", "v_proj"}}, 1);
    learner_.emplace(model_, std::vector<std::int64_t>{}, kLogitChunk, RankPlace{},
                     Learner::AdapterPart{adapter_, {}});
    preference_.name = "preference";
    preference_.train = tuning_.train = {"*.lora_"};
    preference_.next_token = 0;
    preference_.preference.emplace();
    tuning_.name = "tuning";
    learner_->begin_stage(preference_);
    learner_->set_reference(std::make_shared<Reference>(
        model_, Reference::Weights::of_policy, scratch / "reference.jsonl", "it", kLogitChunk));
    vocab_ = model_->decoder().config().vocab_size;
  }

  std::int64_t vocab() const { return vocab_; }

  void shared(const Sample& pair, Cost& cost) {
    preference_.preference->truth_nll = pair.branches.size() == 3 ? 0.1 : 0;
    const Batch batch = make_batch({{pair}}, 0);
    Lesson lesson;
    cost.seconds.push_back(seconds_of([&] { lesson = learner_->learn(batch, preference_, 1, 1); }));
    cost.flops = lesson.flops;
  }

  // The policy on `answers` sequences, the reference on two, each with its own encoding.
  void separate(const Sample& pair, std::size_t answers, Cost& cost) {
    double seconds = 0;
    cost.flops = 0;
    for (const Sample& sequence : apart(pair, answers)) {
      const Batch batch = make_batch({{sequence}}, 0);
      Lesson lesson;
      seconds += seconds_of([&] { lesson = learner_->learn(batch, tuning_, kAnswer, 1); });
      cost.flops += lesson.flops;
    }
    for (const Sample& sequence : apart(pair, 2)) {
      const Batch batch = make_batch({{sequence}}, 0);
      const at::NoGradGuard no_grad;
      const WithoutLora without;
      seconds += seconds_of([&] {
        target_log_probs(decode_batch(model_->decoder(), batch, model_->encode(batch.media)),
                         model_->decoder().embedding_weight(), batch, kLogitChunk);
      });
      cost.flops += step_flops(*model_, batch, {1, 1, 1}, true, true);
    }
    cost.seconds.push_back(seconds);
  }

 private:
  std::shared_ptr<VideoLanguageModel> model_;
  std::shared_ptr<const TrainableAdapter> adapter_;
  std::optional<Learner> learner_;
  Stage preference_, tuning_;
  std::int64_t vocab_ = 0;
};

void print_gain(const char* name, const Cost& slow, const Cost& fast) {
  std::vector<double> gains;
  for (std::size_t i = 0; i < fast.seconds.size(); ++i)
    gains.push_back(slow.seconds[i] / fast.seconds[i]);
  const double ceiling = slow.flops / fast.flops;
  fmt::print("{}: {:.0f} ms against {:.0f} ms: {:.2f} x; arithmetic {:.2f} x, of which {:.0f} %\n",
             name, 1e3 * median(fast.seconds), 1e3 * median(slow.seconds), median(gains), ceiling,
             100 * median(gains) / ceiling);
}

int measure(const fs::path& assets, std::int64_t hidden, std::int64_t layers, std::int64_t rounds) {
  keep_freed_memory();
  const fs::path scratch = fs::temp_directory_path() / fmt::format("tarsier-bench-{}", ::getpid());
  Bench bench(write_model(assets, scratch / "model", hidden, layers), scratch);
  const Sample with_truth = make_pair(bench.vocab());
  Sample pair = with_truth;
  pair.branches.resize(2);
  Cost dpo, gdpo, two_sequences, five_passes, warm;
  bench.shared(pair, warm);  // pages and threads come into being
  for (std::int64_t i = 0; i < rounds; ++i) {
    bench.shared(pair, dpo);
    bench.separate(pair, 2, two_sequences);
    bench.shared(with_truth, gdpo);
    bench.separate(with_truth, 3, five_passes);
  }
  fs::remove_all(scratch);
  fmt::print("{} wide, {} layers, {} media tokens, answers of {}, {} threads\n", hidden, layers,
             kFrames * kRows * kColumns / 4, kAnswer, at::get_num_threads());
  print_gain("DPO against two sequences with a live reference", two_sequences, dpo);
  print_gain("gDPO against five passes", five_passes, gdpo);
  const auto tokens = static_cast<double>(2 * (pair.prefix.tokens.size() + kAnswer));
  fmt::print("logits at a time: {} rows of {:.0f}: 1/{:.0f} of the whole matrix\n", kLogitChunk,
             tokens, tokens / static_cast<double>(kLogitChunk));
  return 0;
}

}  // namespace
}  // namespace tarsier

int main(int count, char** words) {
  const auto number = [&](int at, std::int64_t otherwise) {
    return count > at ? static_cast<std::int64_t>(std::atoll(words[at])) : otherwise;
  };
  return tarsier::measure("assets/tarsier-nano", number(1, 512), number(2, 8), number(3, 5));
}
