// Tiny checkpoints against Hugging Face transformers, stage by stage (tools/fixtures/README.md).

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "parity_case.h"
#include "stage_network.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

constexpr double kTolerance = 1e-4;
// Behind 32 steps the cache holds the rounding of all of them, and a random model may amplify it.
constexpr double kLastStepTolerance = 5e-4;

void expect_close(const Tensor& actual, const Expected& expected, const std::string& what,
                  double tolerance = kTolerance) {
  ASSERT_EQ(actual.sizes(), at::IntArrayRef(expected.shape)) << what;
  if (!actual.is_floating_point()) {
    EXPECT_TRUE(at::equal(actual, expected.values)) << what;
    return;
  }
  Tensor values = actual.to(at::kFloat).contiguous();
  if (expected.stride > 0) values = values.flatten().slice(0, 0, values.numel(), expected.stride);
  ASSERT_EQ(values.sizes(), expected.values.sizes()) << what;
  EXPECT_LE((values - expected.values).abs().max().item<double>(), tolerance) << what;
  if (expected.stride > 0) {
    const Tensor wide = actual.to(at::kDouble);
    EXPECT_NEAR(wide.sum().item<double>(), expected.sum, 1e-5 * expected.abs_sum) << what;
    EXPECT_NEAR(wide.abs().sum().item<double>(), expected.abs_sum, 1e-5 * expected.abs_sum) << what;
  }
}

/// Whether run_stages gives it; the others come before it, or after many steps.
bool is_network_stage(const std::string& stage) {
  return stage.starts_with("vision.") || stage.starts_with("audio.") ||
         stage.starts_with("sound.") || stage.starts_with("decoder.") || stage == "media" ||
         stage == "embeds" || stage == "logits";
}

/// One case; every test walks its runs.
class ModelParity : public testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { at::set_num_threads(1); }  // tiny models gain nothing from more
  const VideoLanguageModel& model() const { return parity_model(GetParam()); }
  const ParityCase& parity() const { return parity_case(GetParam()); }
};

TEST_P(ModelParity, PixelsAndGrids) {
  for (const ParityRun& run : parity().runs) {
    SCOPED_TRACE(run.name);
    const ModelInputs inputs = model().prepare(run.conversation);
    const std::vector<SeenMedia> seen = model().plan_media(run.conversation);
    ASSERT_EQ(seen.size(), run.grids.size());
    std::int64_t pictures = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const PatchGrid& grid = run.grids[i];
      EXPECT_EQ(seen[i].grid, grid);
      EXPECT_EQ(seen[i].tokens, run.tokens[i]);
      if (seen[i].modality == Modality::audio) continue;
      EXPECT_EQ(seen[i].resized, run.resized[i].back());
      const Tensor row = at::tensor({grid.time, grid.height, grid.width}, at::kLong);
      EXPECT_TRUE(at::equal(inputs.media.grid[pictures++], row));
    }
    EXPECT_EQ(inputs.media.empty(), seen.empty());
    EXPECT_EQ(inputs.media.pixels.defined(), run.stages.contains("pixel_values"));
    EXPECT_EQ(inputs.media.mel.defined(), run.stages.contains("mel"));
    if (inputs.media.pixels.defined())
      expect_close(inputs.media.pixels, run.stages.at("pixel_values"), "pixels");
    if (inputs.media.mel.defined()) expect_close(inputs.media.mel, run.stages.at("mel"), "mel");
  }
}

TEST_P(ModelParity, TokensAndPositions) {
  for (const ParityRun& run : parity().runs) {
    SCOPED_TRACE(run.name);
    const Prompt prompt = model().prepare(run.conversation).prompt;
    expect_close(at::tensor(prompt.tokens, at::kLong), run.stages.at("input_ids"), "input_ids");
    expect_close(prompt.positions, run.stages.at(run.rule + "position_ids"), "position_ids");
    EXPECT_EQ(prompt.next_position, run.next_position);
    std::int64_t spanned = 0;
    for (const MediaSpan& span : prompt.spans) spanned += span.length;
    EXPECT_EQ(spanned, std::accumulate(run.tokens.begin(), run.tokens.end(), std::int64_t{0}));
  }
}

TEST_P(ModelParity, EveryStage) {
  for (const ParityRun& run : parity().runs) {
    SCOPED_TRACE(run.name);
    std::int64_t compared = 0;
    ModelInputs inputs = model().prepare(run.conversation);
    inputs.prompt.positions = run.stages.at("position_ids").values;  // the stages are by this rule
    run_stages(model(), inputs, [&](const std::string& stage, const Tensor& x) {
      expect_close(x, run.stages.at(stage), stage);
      ++compared;
    });
    EXPECT_EQ(compared, std::ranges::count_if(run.stages, [](const auto& stage) {
                return is_network_stage(stage.first);
              }));
  }
}

/// The tokens of the largest logits, one after the other, through the cache; never stops.
void expect_greedy(const VideoLanguageModel& model, const ParityRun& run, std::int64_t chunk) {
  const at::NoGradGuard no_gradients;
  const ModelInputs inputs = model.prepare(run.conversation);
  const Tensor media = inputs.media.empty() ? Tensor() : model.encode(inputs.media);
  const auto steps = static_cast<std::int64_t>(run.greedy_tokens.size());
  AtenBackend backend(model.decoder(), {.prefill_chunk = chunk});
  auto [slot, logits] = backend.admit(inputs.prompt, media, steps);
  expect_close(logits, run.stages.at(run.rule + "logits"), "logits");
  std::vector<std::int64_t> tokens{logits.argmax().item<std::int64_t>()};
  while (tokens.size() < run.greedy_tokens.size()) {
    const SlotToken next{slot, tokens.back()};
    logits = backend.step({&next, 1}).squeeze(0);
    tokens.push_back(logits.argmax().item<std::int64_t>());
  }
  EXPECT_EQ(tokens, run.greedy_tokens);
  if (!run.rule.empty()) return;  // the rest is recorded for the published rule only
  expect_close(logits, run.stages.at("logits_step_" + std::to_string(steps - 1)), "last step",
               kLastStepTolerance);
  EXPECT_EQ(model.tokenizer().decode(tokens), run.greedy_text);
}

TEST_P(ModelParity, GreedyTokens) {
  for (const ParityRun& run : parity().runs) {
    SCOPED_TRACE(run.name);
    expect_greedy(model(), run, 512);
  }
}

// A prompt cut into pieces, media blocks and all, is the same prompt.
TEST_P(ModelParity, GreedyTokensOfAChunkedPrompt) {
  for (const ParityRun& run : parity().runs) {
    SCOPED_TRACE(run.name);
    expect_greedy(model(), run, 7);
  }
}

TEST_P(ModelParity, EveryKindOfInputIsThere) {
  for (const char* wanted : {"video_1", "video_2", "video_7", "video_16", "image", "image_video"}) {
    EXPECT_EQ(std::ranges::count(parity().runs, wanted, &ParityRun::name),
              parity().left_out.contains(wanted) ? 0 : 1)
        << wanted;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ModelParity, testing::ValuesIn(parity_case_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tarsier
