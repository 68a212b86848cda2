#include "tarsier/engine/aten_backend.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/nn/attention.h"
#include "tests/engine/test_model.h"

namespace tarsier {
namespace {

class AtenBackendTest : public testing::Test {
 protected:
  at::NoGradGuard no_grad_;
  TestModel model_;
  const Tensor media_ = at::randn({12, 32}, at::detail::createCPUGenerator(3));
  const Prompt prompt_ = video_prompt(4, 3, 2, 2, "what happens?");

  /// Logits [tokens, vocab] without any cache.
  Tensor whole(const Prompt& prompt) const {
    const CausalDecoder& decoder = model_.decoder();
    const Tensor hidden = decoder.embed(at::tensor(prompt.tokens, at::kLong));
    if (!prompt.spans.empty())
      hidden.slice(0, prompt.spans[0].begin, prompt.spans[0].begin + 12).copy_(media_);
    const SegmentAttention attention({{hidden.size(0)}, {-1}, true});
    return decoder.logits(decoder.forward(hidden, prompt.positions,
                                          [&](std::int64_t, const Tensor& q, const Tensor& k,
                                              const Tensor& v) { return attention(q, k, v); }));
  }
  static Prompt with(Prompt prompt, std::int64_t token) {
    prompt.tokens.push_back(token);
    prompt.positions = at::cat({prompt.positions, at::full({prompt.positions.size(0), 1},
                                                           prompt.next_position++, at::kLong)},
                               1);
    return prompt;
  }
  static void expect_near(const Tensor& a, const Tensor& b, double tolerance = 5e-5) {
    ASSERT_EQ(a.sizes(), b.sizes());
    EXPECT_LT((a - b).abs().max().item<double>(),
              tolerance * std::max(1.0, b.abs().max().item<double>()));
  }
};

TEST_F(AtenBackendTest, CachedEqualsFullForward) {
  AtenBackend backend(model_.decoder());
  const Admission admission = backend.admit(prompt_, media_, 3);
  EXPECT_EQ(admission.logits.sizes(), at::IntArrayRef({kTestVocab}));
  EXPECT_EQ(admission.logits.scalar_type(), at::kFloat);
  expect_near(admission.logits, whole(prompt_)[-1]);
  Prompt grown = prompt_;
  for (const std::int64_t token : {'T', 'h', 'e'}) {
    // The cache's next row is 29, the next position 20: behind a video they differ
    // (models-tarsier.md 7, trap 30).
    EXPECT_LT(grown.next_position, static_cast<std::int64_t>(grown.tokens.size()));
    grown = with(grown, token);
    const SlotToken next{admission.slot, token};
    expect_near(backend.step({&next, 1})[0], whole(grown)[-1]);
  }
}

TEST_F(AtenBackendTest, OneAxisPositions) {
  DecoderConfig config = tiny_decoder();
  config.mrope_section.clear();
  TestModel model(config);
  Prompt prompt = text_prompt("plain text");
  prompt.positions = prompt.positions.slice(0, 0, 1);
  AtenBackend backend(model.decoder()), other(model.decoder());
  const Admission short_one = backend.admit(prompt, {}, 1);
  const SlotToken next{short_one.slot, 'x'};
  expect_near(backend.step({&next, 1})[0], other.admit(with(prompt, 'x'), {}, 0).logits);
}

TEST_F(AtenBackendTest, PrefillInChunksEqualsOneChunk) {  // trap 32
  const Tensor expected = whole(prompt_)[-1];
  for (const std::int64_t chunk : {1, 7, 28, 29, 512}) {
    AtenBackendOptions options;
    options.prefill_chunk = chunk;
    AtenBackend backend(model_.decoder(), options);
    expect_near(backend.admit(prompt_, media_, 0).logits, expected);
  }
}

TEST_F(AtenBackendTest, BatchEqualsSingles) {  // trap 35
  const Prompt other = text_prompt("hi");
  AtenBackend together(model_.decoder()), one(model_.decoder()), two(model_.decoder());
  const Slot a = together.admit(prompt_, media_, 4).slot, b = together.admit(other, {}, 4).slot;
  const Slot single_a = one.admit(prompt_, media_, 4).slot, single_b = two.admit(other, {}, 4).slot;
  for (const std::int64_t token : {'x', 'y', 'z'}) {
    const SlotToken both[] = {{b, token + 1}, {a, token}};
    const SlotToken first{single_a, token}, second{single_b, token + 1};
    const Tensor logits = together.step(both);
    expect_near(logits[1], one.step({&first, 1})[0]);
    expect_near(logits[0], two.step({&second, 1})[0]);
  }
}

TEST_F(AtenBackendTest, ForkAndExtendEqualTheWholePrompt) {
  const Prompt prefix = video_prompt(4, 3, 2, 2, "so ");
  const Prompt questions[] = {video_prompt(4, 3, 2, 2, "so what?"),
                              video_prompt(4, 3, 2, 2, "so where did it go?")};
  AtenBackend backend(model_.decoder());
  const Slot root = backend.admit(prefix, media_, 0).slot;
  const Slot slots[] = {backend.fork(root, 10), backend.fork(root, 20)};
  const SlotPrompt rest[] = {{slots[0], &questions[0]}, {slots[1], &questions[1]}};
  const Tensor logits = backend.extend(rest);
  for (int i = 0; i < 2; ++i) expect_near(logits[i], whole(questions[i])[-1]);
  const SlotToken next[] = {{slots[0], 'A'}, {slots[1], 'B'}};
  const Tensor stepped = backend.step(next);
  expect_near(stepped[0], whole(with(questions[0], 'A'))[-1]);
  expect_near(stepped[1], whole(with(questions[1], 'B'))[-1]);
  // The prefix itself is as it was.
  const Slot late = backend.fork(root, 20);
  const SlotPrompt again{late, &questions[1]};
  expect_near(backend.extend({&again, 1})[0], whole(questions[1])[-1]);
}

TEST_F(AtenBackendTest, SixteenBitWeightsGiveF32Logits) {
  TestModel model(tiny_decoder(), at::kBFloat16);
  AtenBackend backend(model.decoder());
  const Admission admission = backend.admit(prompt_, media_, 1);
  EXPECT_EQ(admission.logits.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(admission.logits).all().item<bool>());
}

TEST_F(AtenBackendTest, RoomIsCountedAndGivenBack) {
  AtenBackendOptions options;
  const std::int64_t bytes = cache_bytes_per_token(tiny_decoder(), at::kFloat);
  EXPECT_EQ(bytes, 2 * 3 * 2 * 8 * 4);
  options.max_cache_bytes = 40 * bytes;
  AtenBackend backend(model_.decoder(), options);
  EXPECT_TRUE(backend.has_room_for(40));
  EXPECT_FALSE(backend.has_room_for(41));
  const Slot slot = backend.admit(prompt_, media_, 1).slot;  // 29 + 1
  EXPECT_TRUE(backend.has_room_for(10));
  EXPECT_FALSE(backend.has_room_for(11));
  EXPECT_THROW(backend.admit(prompt_, media_, 1), ResourceError);
  EXPECT_THROW(backend.fork(slot, 0), ResourceError);
  backend.release(slot);
  EXPECT_TRUE(backend.has_room_for(40));
}

TEST_F(AtenBackendTest, BrokenPromisesAreNamed) {
  AtenBackend backend(model_.decoder());
  EXPECT_THROW(backend.admit(prompt_, {}, 1), InternalError);
  EXPECT_THROW(backend.admit(prompt_, media_.slice(0, 0, 11), 1), InternalError);
  const Slot slot = backend.admit(text_prompt("abc"), {}, 1).slot;
  const Prompt same = text_prompt("abc"), other = text_prompt("abd and more");
  const SlotPrompt nothing_new{slot, &same}, not_a_beginning{slot, &other};
  EXPECT_THROW(backend.extend({&nothing_new, 1}), InternalError);
  EXPECT_THROW(backend.extend({&not_a_beginning, 1}), InternalError);
  const SlotToken next{slot, 'x'};
  backend.step({&next, 1});
  EXPECT_THROW(backend.step({&next, 1}), InternalError);  // beyond the room it was given
  backend.release(slot);
  EXPECT_THROW(backend.step({&next, 1}), InternalError);
}

}  // namespace
}  // namespace tarsier
