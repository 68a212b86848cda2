#include "tarsier/models/qwen2_5_vl_encoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/media/log_mel.h"
#include "tarsier/models/flops.h"
#include "tarsier/nn/linear.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

class Hearing {
 public:
  Hearing(const HearingConfig& config, std::int64_t hidden_size)
      : config_(config),
        whisper_(config.whisper),
        qformer_(config.qformer),
        query_(meta_tensor({1, config.qformer.queries, config.qformer.width})),
        projection_(config.qformer.width, hidden_size, true) {}

  /// mel [chunks, mel_bins, mel_frames] -> [chunks * tokens_per_chunk, hidden].
  Tensor operator()(const Tensor& mel, const StageSink& sink) const {
    const BlockSink after_block = block_stages(sink, "audio", "conv");
    const Tensor encoded = whisper_(mel, after_block);
    if (sink) sink("audio.encoded", encoded);
    const Tensor read = qformer_(encoded, query_);
    if (sink) sink("audio.qformer", read);
    const Tensor projected = projection_(read).flatten(0, 2);
    if (sink) sink("audio.projected", projected);
    return projected;
  }

  std::int64_t tokens_per_chunk() const { return config_.tokens_per_chunk(); }
  double flops_of(std::int64_t chunks) const {
    const auto rows = static_cast<double>(chunks * config_.tokens_per_chunk());
    return flops(config_.whisper, chunks) +
           flops(config_.qformer, chunks, config_.whisper.positions) +
           2 * rows * static_cast<double>(projection_.weight.numel());
  }
  EncodeCost cost(std::int64_t chunks, std::int64_t element_bytes) const {
    const WhisperConfig& w = config_.whisper;
    // A few chunks at a time: the stream, its norm, q, k and v or the wide layer; then all rows.
    const std::int64_t at_once = std::min<std::int64_t>(chunks, 4) * w.positions;
    const std::int64_t wide = std::max(3 * w.width, w.intermediate);
    return {flops_of(chunks), chunks * w.mel_bins * w.mel_frames() * 4,
            at_once * (2 * w.width + wide) * element_bytes +
                chunks *
                    (w.positions * w.width +
                     tokens_per_chunk() * (config_.qformer.width + projection_.weight.size(0))) *
                    element_bytes};
  }

  void visit(Scope scope) {
    whisper_.visit(scope);
    scope("q_tokens", query_);
    qformer_.visit(scope / "qformer");
    projection_.visit(scope / "audio_proj");
  }
  void set_recompute(bool recompute) {
    whisper_.set_recompute(recompute);
    qformer_.set_recompute(recompute);
  }

 private:
  HearingConfig config_;
  WhisperEncoder whisper_;
  WindowQFormer qformer_;
  Tensor query_;  // [1, queries, qformer.width]
  Linear projection_;
};

/// Rows of pictures and of sound, each in their own order -> the order of the prompt.
Tensor interleaved(const Tensor& seen, const Tensor& heard,
                   const std::vector<MediumLayout>& layout) {
  if (!heard.defined()) return seen;
  const std::int64_t pictures = seen.defined() ? seen.size(0) : 0;
  std::vector<std::int64_t> order;
  std::int64_t next_seen = 0, next_heard = pictures;
  for (const MediumLayout& medium : layout) {
    for (const MediaRun& run : medium.runs) {
      std::int64_t& next = run.modality == Modality::audio ? next_heard : next_seen;
      for (std::int64_t i = 0; i < run.tokens; ++i) order.push_back(next++);
    }
  }
  check(next_seen == pictures && next_heard == pictures + heard.size(0),
        "the layout has a place for every row");
  if (!seen.defined()) return heard;
  return at::cat({seen, heard}).index_select(0, at::tensor(order, at::kLong).to(heard.device()));
}

/// The sizes that flops.h reads, for its estimate of memory.
Qwen2VlVitConfig alike(const Qwen2_5VlVitConfig& v) {
  Qwen2VlVitConfig config;
  config.embed_dim = v.width;
  config.heads = v.heads;
  config.mlp_ratio = static_cast<double>(v.intermediate) / static_cast<double>(v.width);
  return config;
}

class Qwen2_5VlEncoder final : public MediaEncoder {
 public:
  Qwen2_5VlEncoder(const Qwen2_5VlVitConfig& vision, const std::optional<HearingConfig>& hearing,
                   std::vector<std::string> unused)
      : vision_(vision), unused_(std::move(unused)) {
    if (hearing) hearing_.emplace(*hearing, vision.hidden_size);
  }

  Tensor encode(const MediaInputs& media, const CausalDecoder& decoder,
                const StageSink& sink) const override {
    const at::Device device = decoder.device();
    Tensor seen, heard;
    if (media.pixels.defined()) {
      const BlockSink after_block = block_stages(sink, "vision", "patch_embed");
      seen = vision_(media.pixels.to(device), media.grid, after_block);
      if (sink) sink("vision.merged", seen);
    }
    if (media.mel.defined()) {
      check(hearing_.has_value(), "sound is prepared for models that hear");
      heard = (*hearing_)(media.mel.to(device), sink);
    }
    return interleaved(seen, heard, media.layout);
  }

  double flops(const MediaInputs& media) const override {
    double sum = media.mel.defined() && hearing_ ? hearing_->flops_of(media.mel.size(0)) : 0;
    if (!media.pixels.defined()) return sum;
    for (const PatchGrid& grid : grids_of(media.grid))
      sum += tarsier::flops(vision_.config(), grid);
    return sum;
  }

  EncodeCost cost(const SeenMedia& seen, std::int64_t element_bytes) const override {
    EncodeCost cost;
    if (seen.grid.patches() > 0) {
      cost = {tarsier::flops(vision_.config(), seen.grid),
              seen.grid.patches() * vision_.config().patch_values() * 4,
              vision_activation_bytes(alike(vision_.config()), seen.grid, element_bytes)};
    }
    const std::int64_t heard = sound_tokens(seen);
    if (heard == 0) return cost;
    const EncodeCost of_sound = hearing_->cost(heard / hearing_->tokens_per_chunk(), element_bytes);
    return {cost.flops + of_sound.flops, cost.input_bytes + of_sound.input_bytes,
            std::max(cost.activation_bytes, of_sound.activation_bytes)};
  }

  void visit(Scope scope) override {
    vision_.visit(scope / "visual");
    if (hearing_) hearing_->visit(scope / "audio");
  }
  std::vector<std::string> unused_names() const override { return unused_; }
  void set_recompute(bool recompute) override {
    vision_.set_recompute(recompute);
    if (hearing_) hearing_->set_recompute(recompute);
  }

 private:
  Qwen2_5VlVit vision_;
  std::optional<Hearing> hearing_;
  std::vector<std::string> unused_;
};

}  // namespace

std::int64_t HearingConfig::tokens_per_chunk() const {
  return qformer.windows(whisper.positions) * qformer.queries;
}

HearingConfig hearing_config(const JsonView& json) {
  const HearingConfig config{whisper_config(json), window_qformer_config(json)};
  const auto expect = [](const JsonView& at, const char* key, std::int64_t is,
                         std::int64_t expected, const char* why) {
    if (is != expected) at.fail(fmt::format("{} is {}, expected {}", key, is, expected), why);
  };
  expect(json, "num_mel_bins", config.whisper.mel_bins, kMelBins,
         "sound is heard as Whisper large-v3 hears it");
  expect(json, "max_source_positions", config.whisper.positions, kMelFrames / 2,
         "sound is heard in chunks of 30 s");
  expect(json, "qformer_config.encoder_width", config.qformer.encoder_width, config.whisper.width,
         "the Q-Former reads what Whisper's encoder, d_model wide, writes");
  return config;
}

std::unique_ptr<MediaEncoder> qwen2_5_vl_encoder(const Qwen2_5VlVitConfig& vision,
                                                 const std::optional<HearingConfig>& hearing,
                                                 std::vector<std::string> unused_names) {
  return std::make_unique<Qwen2_5VlEncoder>(vision, hearing, std::move(unused_names));
}

}  // namespace tarsier
