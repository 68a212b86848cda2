// The tiny models of models-tarsier.md 3.9, whose numbers come from the upstream modules in f64.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/causal_decoder.h"
#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/processors/mrope_positions.h"

namespace tarsier {
namespace {

// Angles are computed in f32 by design, so f64 agrees to a few 1e-7 only.
constexpr double kTolerance = 2e-6;

/// Element e of the i-th parameter (from 1, names in byte order) is 0.3 sin(0.37 e + i), plus 1 for
/// the 1-D weights of norms.
template <class Model>
void fill_by_rule(Model& model) {
  std::map<std::string, Tensor*> parameters;
  const TensorVisitor collect = [&](const std::string& name, Tensor& tensor) {
    parameters.emplace(name, &tensor);
  };
  model.visit(Scope(collect));
  double i = 1;
  for (const auto& [name, tensor] : parameters) {
    const Tensor e = at::arange(tensor->numel(), at::kDouble);
    Tensor values = ((e * 0.37 + i).sin() * 0.3).view(tensor->sizes());
    if (tensor->dim() == 1 && name.ends_with("weight")) values = values + 1;
    *tensor = values;
    ++i;
  }
}

Qwen2VlVit tiny_vit() {
  Qwen2VlVitConfig config;
  config.depth = 2;
  config.embed_dim = 16;
  config.hidden_size = 12;
  config.heads = 2;
  config.mlp_ratio = 2;
  config.patch_size = 2;
  Qwen2VlVit vit(config);
  fill_by_rule(vit);
  return vit;
}

CausalDecoder tiny_decoder() {
  DecoderConfig config;
  config.vocab_size = 20;
  config.hidden_size = 32;
  config.intermediate_size = 48;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 16;
  config.mrope_section = {2, 3, 3};
  CausalDecoder decoder(config);
  fill_by_rule(decoder);
  return decoder;
}

Tensor tiny_pixels(std::int64_t patches) {
  return (at::arange(patches * 24, at::kDouble) * 0.01).sin().view({patches, 24});
}

Tensor grid_of(std::vector<std::int64_t> rows) { return at::tensor(rows, at::kLong).view({-1, 3}); }

void expect_row(const Tensor& row, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(row[static_cast<std::int64_t>(i)].item<double>(), expected[i], kTolerance) << i;
  }
}

TEST(GoldenModels, TinyVit) {
  const at::NoGradGuard no_gradients;
  Tensor embedded;
  const Tensor output =
      tiny_vit()(tiny_pixels(32), grid_of({2, 4, 4}), [&](std::int64_t block, const Tensor& x) {
        if (block == 0) embedded = x;
      });
  expect_row(embedded[0],
             {0.10664039, -0.01654484, -0.07834070, 0.15054541, -0.17916493, 0.15591347});
  expect_row(embedded[31],
             {0.95458291, -0.22348648, -0.57231268, 1.20241861, -1.48440601, 1.33663526});
  ASSERT_EQ(output.sizes(), (std::vector<std::int64_t>{8, 12}));
  expect_row(output[0], {-0.2590143, -1.4409901, -0.5150213, 0.8336411, 0.2397115, -1.1706728,
                         -0.7775326, 0.8923723, 1.0723872, -0.3867805, -0.7764270, 0.6726596});
  expect_row(output[3], {-0.3015583, -1.4304730, -0.4699999, 0.8337294, 0.1947108, -1.1813616,
                         -0.7350498, 0.9130684, 1.0347796, -0.4163355, -0.7457815, 0.7094335});
  expect_row(output[4], {-0.7583757, -1.0447983, 0.0776679, 0.5770644, -0.4134175, -1.0679486,
                         -0.1002056, 0.9492007, 0.4084469, -0.6000080, -0.1627150, 1.0304544});
  expect_row(output[7], {-0.8061986, -0.9775724, 0.1413267, 0.5248342, -0.4893798, -1.0336122,
                         -0.0161550, 0.9346634, 0.3209719, -0.6060766, -0.0766695, 1.0567920});
  EXPECT_NEAR(output.sum().item<double>(), -10.9211231, 20 * kTolerance);
  EXPECT_NEAR(output.abs().sum().item<double>(), 66.1289253, 20 * kTolerance);
}

TEST(GoldenModels, TinyVitKeepsImagesApart) {
  const at::NoGradGuard no_gradients;
  const Tensor output = tiny_vit()(tiny_pixels(24), grid_of({1, 4, 4, 1, 2, 4}));
  ASSERT_EQ(output.sizes(), (std::vector<std::int64_t>{6, 12}));
  expect_row(output[0], {-0.2590143, -1.4409901, -0.5150213, 0.8336411});
  expect_row(output[5], {-1.1992852, -0.6456044, 0.6126123, 0.3038832});
}

TEST(GoldenModels, TinyDecoder) {
  const at::NoGradGuard no_gradients;
  const Tensor visual = tiny_vit()(tiny_pixels(32), grid_of({2, 4, 4}));
  const Tensor media = visual.index_select(1, at::arange(32, at::kLong).remainder(12));
  Prompt prompt;
  prompt.tokens = {3, 5, 16, 17, 17, 17, 17, 17, 17, 17, 17, 18, 7};
  prompt.spans = {{Modality::video, 3, 8}};
  const PatchGrid grid{2, 4, 4};
  const PromptPositions positions = mrope_positions(13, prompt.spans, {&grid, 1}, 2);
  prompt.positions = positions.positions;
  prompt.next_position = positions.next_position;

  const CausalDecoder decoder = tiny_decoder();
  AtenBackend backend(decoder);
  const auto [slot, logits] = backend.admit(prompt, media, 1);
  expect_row(logits,
             {-0.1711592, -0.3225922, -0.3111741, -0.1426690, 0.0978583,  0.2889848,  0.3342259,
              0.2107429,  -0.0191274, -0.2393418, -0.3387315, -0.2671227, -0.0606649, 0.1764177,
              0.3244412,  0.3086801,  0.1370910,  -0.1037044, -0.2921477, -0.3331089});
  EXPECT_EQ(logits.argmax().item<std::int64_t>(), 6);

  const SlotToken next{slot, 6};
  const Tensor second = backend.step({&next, 1}).squeeze(0);
  expect_row(second,
             {-1.4634753, -1.5547405, -0.8611410, 0.2671800,  1.2606231,  1.6176780, 1.1580961,
              0.1138837,  -0.9878195, -1.5908513, -1.3907890, -0.4886280, 0.6602023, 1.4757490,
              1.5463076,  0.8362586,  -0.2959508, -1.2787582, -1.6160224, -1.1374856});
  EXPECT_EQ(second.argmax().item<std::int64_t>(), 5);

  // The last media token, index 10.
  Prompt shorter = prompt;
  shorter.tokens.resize(11);
  shorter.positions = prompt.positions.slice(1, 0, 11);
  expect_row(backend.admit(shorter, media, 0).logits,
             {-0.9524212, -0.5920777, 0.0671587, 0.6924921, 0.9682413, 0.7552026});
}

}  // namespace
}  // namespace tarsier
