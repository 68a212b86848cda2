#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tarsier/models/fill.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/text/byte_level.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {

constexpr std::int64_t kEnd = 256, kOtherEnd = 257, kPad = 258;  // behind the 256 bytes
constexpr std::int64_t kTestVocab = 260;  // 259 has no string: a padded vocabulary

/// A tokenizer whose ids are bytes, and three special tokens.
inline std::unique_ptr<Tokenizer> byte_tokenizer() {
  nlohmann::json document = nlohmann::json::parse(R"({
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {}, "merges": []},
    "added_tokens": []})");
  for (int byte = 0; byte < 256; ++byte) {
    document["model"]["vocab"][spell_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  }
  const char* const specials[] = {"<|end|>", "<|other_end|>", "<|pad|>"};
  for (int i = 0; i < 3; ++i) {
    document["added_tokens"].push_back({{"id", 256 + i},
                                        {"content", specials[i]},
                                        {"special", true},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false}});
  }
  return Tokenizer::parse(document.dump());
}

inline DecoderConfig tiny_decoder() {
  DecoderConfig config;
  config.vocab_size = kTestVocab;
  config.hidden_size = 32;
  config.intermediate_size = 48;
  config.layers = 3;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 8;
  config.rope_theta = 100;
  config.mrope_section = {1, 1, 2};
  return config;
}

/// A decoder of random weights behind the interface; `encode` hands its pixels on as media tokens.
class TestModel : public VideoLanguageModel {
 public:
  explicit TestModel(const DecoderConfig& config = tiny_decoder(),
                     at::ScalarType dtype = at::kFloat)
      : tokenizer_(byte_tokenizer()), decoder_(config) {
    generation_.end_ids = {kEnd, kOtherEnd};
    info_.name = "test-model";
    FillOptions options;
    options.dtype = dtype;
    fill_randomly([this](const TensorVisitor& visitor) { visit(Scope(visitor)); }, 7, options);
    // Wider than trained models start, so that positions and attention change the logits visibly.
    const TensorVisitor widen = [](const std::string&, Tensor& weight) { weight.mul_(8); };
    visit(Scope(widen));
  }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }
  const SamplingRule& sampling() const override { return sampling_; }
  const GenerationDefaults& generation() const override { return generation_; }
  const ModelInfo& info() const override { return info_; }
  ModelInputs prepare(const Conversation&, PromptPurpose) const override { return {}; }
  std::vector<SeenMedia> plan_media(const Conversation&) const override { return {}; }
  Tensor encode(const MediaInputs& media, const StageSink&) const override {
    ++encoded;
    return media.pixels;
  }
  double encode_flops(const MediaInputs&) const override { return 0; }
  EncodeCost encode_cost(const SeenMedia&, std::int64_t) const override { return {}; }
  const CausalDecoder& decoder() const override { return decoder_; }
  void visit(Scope scope) override { decoder_.visit(scope); }
  std::span<const Rename> published_names() const override { return {}; }

  GenerationDefaults generation_;
  ModelInfo info_;
  mutable int encoded = 0;

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
  SamplingRule sampling_;
  CausalDecoder decoder_;
};

/// `before` text tokens, a video of t x h x w merged patches, then `after`, with Qwen2-VL's
/// positions (models-tarsier.md 3.6).
inline Prompt video_prompt(std::int64_t before, std::int64_t t, std::int64_t h, std::int64_t w,
                           const std::string& after) {
  Prompt prompt;
  std::vector<std::int64_t> positions[3];
  const auto put = [&](std::int64_t token, std::int64_t a, std::int64_t b, std::int64_t c) {
    prompt.tokens.push_back(token);
    positions[0].push_back(a);
    positions[1].push_back(b);
    positions[2].push_back(c);
  };
  for (std::int64_t i = 0; i < before; ++i) put('a' + i, i, i, i);
  if (t * h * w > 0) prompt.spans.push_back({Modality::video, before, t * h * w});
  for (std::int64_t i = 0; i < t; ++i) {
    for (std::int64_t j = 0; j < h; ++j) {
      for (std::int64_t k = 0; k < w; ++k) put(kPad, before + i, before + j, before + k);
    }
  }
  std::int64_t base = before + std::max({t, h, w});
  for (const char c : after) put(static_cast<unsigned char>(c), base, base, base), ++base;
  prompt.next_position = base;
  prompt.positions =
      at::stack({at::tensor(positions[0], at::kLong), at::tensor(positions[1], at::kLong),
                 at::tensor(positions[2], at::kLong)});
  return prompt;
}

inline Prompt text_prompt(const std::string& text) { return video_prompt(0, 0, 0, 0, text); }

}  // namespace tarsier
