#include "tarsier/models/towers/salmonn_ears.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/models/towers/sinusoids.h"
#include "tarsier/nn/activation.h"

namespace tarsier {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr std::int64_t kChunksAtATime = 4;  // bounds activations to about 0.5 GB at full size

BlockSink named(const StageSink& sink, const char* prefix) {
  if (!sink) return {};
  return [&sink, prefix](std::int64_t block, const Tensor& x) {
    sink(fmt::format("{}.{}", prefix, block), x);
  };
}

}  // namespace

SalmonnEars::SalmonnEars(const SalmonnEarsConfig& c)
    : config_(c),
      whisper_(c.whisper),
      norm_(c.whisper.width, kNormEpsilon),
      query_(meta_tensor({1, c.qformer.queries, c.qformer.width})),
      qformer_(c.qformer),
      projection_(c.qformer.width, c.hidden_size, true),
      final_in_(c.hidden_size, c.hidden_size, true),
      final_out_(c.hidden_size, c.hidden_size, true) {}

Tensor SalmonnEars::run_chunks(const Tensor& mel, const StageSink& sink) const {
  const Tensor encoded = whisper_(mel, named(sink, "sound.block"));
  if (sink) sink("sound.encoded", encoded);
  const Tensor normed = norm_(encoded);
  if (sink) sink("sound.normed", normed);
  Tensor x = qformer_(normed, query_, named(sink, "sound.query")).flatten(1, 2);
  x = projection_(x);
  if (sink) sink("sound.projected", x);
  if (config_.final_linear) {
    x = final_out_(exact_gelu(final_in_(x)));
    if (sink) sink("sound.final", x);
  }
  return x;
}

Tensor SalmonnEars::operator()(const Tensor& mel, const StageSink& sink) const {
  const std::int64_t chunks = mel.size(0);
  if (at::GradMode::is_enabled() || sink || chunks <= kChunksAtATime) return run_chunks(mel, sink);
  std::vector<Tensor> outputs;
  for (std::int64_t begin = 0; begin < chunks; begin += kChunksAtATime) {
    outputs.push_back(
        run_chunks(mel.slice(0, begin, std::min(chunks, begin + kChunksAtATime)), sink));
  }
  return at::cat(outputs, 0);
}

Tensor SalmonnEars::in_order(const Tensor& chunks) {
  const Tensor sinusoid = chunk_positions(chunks.size(0), chunks.size(2)).to(chunks.options());
  return (chunks + sinusoid.unsqueeze(1)).flatten(0, 1);
}

void SalmonnEars::set_recompute(bool recompute) {
  whisper_.set_recompute(recompute);
  qformer_.set_recompute(recompute);
}

void SalmonnEars::visit(Scope scope) {
  whisper_.visit(scope / "speech_encoder");
  norm_.visit(scope / "ln_speech");
  scope("speech_query_tokens", query_);
  qformer_.visit(scope / "speech_Qformer");
  projection_.visit(scope / "speech_llama_proj");
  if (!config_.final_linear) return;
  final_in_.visit(scope / "final_linear" / 0);
  final_out_.visit(scope / "final_linear" / 2);
}

double flops(const SalmonnEarsConfig& c, std::int64_t chunks) {
  const auto hidden = static_cast<double>(c.hidden_size);
  const double per_token =
      2 * hidden * (static_cast<double>(c.qformer.width) + (c.final_linear ? 2 * hidden : 0));
  return flops(c.whisper, chunks) + flops(c.qformer, chunks, c.whisper.positions) +
         static_cast<double>(chunks * c.tokens_per_chunk()) * per_token;
}

}  // namespace tarsier
