#include "tarsier/models/llava_encoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tarsier/processors/sound_spread.h"

namespace tarsier {
namespace {

// Frames that pass through at a time when no gradient is kept: bounds tower and projector to about
// 1 GB at full size.
constexpr std::int64_t kFramesAtATime = 8;

using Pool = LlavaEncoderConfig::Pool;

/// Each frame's tokens with its words behind them, short ones filled up with rows of zeros.
Tensor with_words(const Tensor& frames, const std::vector<std::vector<std::int64_t>>& words,
                  const CausalDecoder& decoder) {
  std::size_t longest = 0;
  for (const auto& ids : words) longest = std::max(longest, ids.size());
  std::vector<Tensor> rows;
  for (const auto& ids : words) {
    const Tensor embedded = decoder.embed(at::tensor(ids, at::kLong).to(frames.device()));
    rows.push_back(
        at::constant_pad_nd(embedded, {0, 0, 0, static_cast<std::int64_t>(longest - ids.size())}));
  }
  return at::cat({frames, at::stack(rows).to(frames.scalar_type())}, 1);
}

/// frames [frames, tokens, hidden] and sound [tokens, hidden] in turn -> [tokens of both, hidden].
Tensor in_turn(const Tensor& frames, const Tensor& sound, double seconds) {
  const SoundSpread spread = spread_sound(sound.size(0), frames.size(0), seconds);
  const Tensor places = at::tensor(spread.source, at::kLong).to(sound.device());
  const Tensor front =
      sound.index_select(0, places).view({frames.size(0), spread.per_frame, sound.size(1)});
  return at::cat({at::cat({frames, front}, 1).flatten(0, 1), sound.slice(0, spread.back)}, 0);
}

/// Of families whose media are pictures alone the grid says everything.
std::vector<MediumLayout> layout_of(const MediaInputs& media) {
  if (!media.layout.empty()) return media.layout;
  std::vector<MediumLayout> layout;
  for (const PatchGrid& grid : grids_of(media.grid))
    layout.push_back({Modality::video, grid.time, 0, 0, {}, {}, {}});
  return layout;
}

class LlavaEncoder final : public MediaEncoder {
 public:
  explicit LlavaEncoder(const LlavaEncoderConfig& config)
      : config_(config),
        vision_(config.vision),
        projector_in_(config.vision.width, config.hidden_size, true),
        projector_out_(config.hidden_size, config.hidden_size, true),
        newline_(meta_tensor({config.hidden_size})) {
    if (config.ears) ears_.emplace(*config.ears);
  }

  Tensor encode(const MediaInputs& media, const CausalDecoder& decoder,
                const StageSink& sink) const override {
    const at::Device device = decoder.device();
    const std::vector<MediumLayout> layout = layout_of(media);
    const bool is_image = layout.size() == 1 && layout[0].modality == Modality::image;
    Tensor frames, chunks;
    if (media.pixels.defined()) {
      frames = frame_tokens(media.pixels.to(device), !is_image, sink);
      if (sink && !is_image) sink("vision.merged", frames);
    }
    if (media.mel.defined()) {
      check(ears_.has_value(), "sound goes to a model that hears");
      chunks = (*ears_)(media.mel.to(device), sink);
    }
    std::vector<Tensor> rows;
    std::int64_t frame = 0, chunk = 0;
    for (const MediumLayout& medium : layout) {
      const std::int64_t next_frame = frame + medium.frames, next_chunk = chunk + medium.mel_chunks;
      Tensor own, sound;
      if (medium.frames > 0) own = frames.slice(0, frame, next_frame);
      if (medium.mel_chunks > 0) sound = SalmonnEars::in_order(chunks.slice(0, chunk, next_chunk));
      if (is_image) {
        rows.push_back(image_tokens(frames, medium.source));
      } else if (!own.defined()) {
        rows.push_back(sound);
      } else if (sound.defined()) {
        rows.push_back(in_turn(own, sound, medium.seconds));
      } else {
        if (!medium.frame_words.empty()) own = with_words(own, medium.frame_words, decoder);
        rows.push_back(own.flatten(0, 1));
      }
      if (config_.pool == Pool::bilinear && !is_image) rows.push_back(newline_.unsqueeze(0));
      frame = next_frame;
      chunk = next_chunk;
    }
    Tensor merged = at::cat(rows);
    if (sink) sink("media", merged);
    return merged;
  }

  double flops(const MediaInputs& media) const override {
    return flops_of(media.pixels.defined() ? media.pixels.size(0) : 0,
                    media.mel.defined() ? media.mel.size(0) : 0);
  }

  EncodeCost cost(const SeenMedia& seen, std::int64_t element_bytes) const override {
    const ClipVitConfig& c = config_.vision;
    const std::int64_t squares = seen.grid.time, frames = std::min(squares, kFramesAtATime);
    // The tower's stream, its norm, and q, k, v or the wide layer with one frame's scores; or the
    // projector's input and both of its layers.
    const std::int64_t tower = frames * c.tokens() *
                                   (2 * c.width + std::max(3 * c.width, c.intermediate)) *
                                   element_bytes +
                               c.heads * c.tokens() * c.tokens() * 4;
    const std::int64_t projector =
        frames * c.patches() * (c.width + 3 * config_.hidden_size) * element_bytes;
    std::int64_t bytes = squares * c.channels * c.image_size * c.image_size * 4;
    if (config_.ears) {
      bytes +=
          seen.mel_chunks * config_.ears->whisper.mel_bins * config_.ears->whisper.mel_frames() * 4;
    }
    return {flops_of(squares, seen.mel_chunks), bytes,
            std::max(tower, projector) + 2 * seen.tokens * config_.hidden_size * element_bytes};
  }

  void visit(Scope scope) override {
    vision_.visit(scope / "vision_tower" / "vision_model");
    projector_in_.visit(scope / "mm_projector" / 0);
    projector_out_.visit(scope / "mm_projector" / 2);
    scope("image_newline", newline_);
    if (ears_) ears_->visit(scope);
  }

  std::vector<std::string> unused_names() const override {
    std::vector<std::string> names = vision_.unused_names();
    for (std::string& name : names) name.insert(0, "vision_tower.vision_model.");
    if (!ears_) {  // a checkpoint with ears is used for its eyes alone
      for (const char* name : {"speech_", "ln_speech.", "final_linear."}) names.emplace_back(name);
    }
    return names;
  }

  void set_recompute(bool recompute) override {
    vision_.set_recompute(recompute);
    if (ears_) ears_->set_recompute(recompute);
  }

 private:
  /// [frames, side * side, hidden] -> [frames, tokens_per_frame, hidden].
  Tensor pooled(const Tensor& projected) const {
    const Tensor rows = pool_patches(projected, config_.pool);
    if (config_.pool == Pool::bilinear) return rows.flatten(1, 2);
    const Tensor newlines = newline_.expand({rows.size(0), rows.size(1), 1, config_.hidden_size});
    return at::cat({rows, newlines}, 2).flatten(1, 2);
  }

  /// projected [squares, side * side, hidden] of one image -> [tokens, hidden]: the whole image's,
  /// then the canvas's row by row without its margin.
  Tensor image_tokens(const Tensor& projected, Size source) const {
    const std::int64_t side = config_.vision.side(), hidden = config_.hidden_size;
    const AnyresPlan plan = plan_anyres(source, *config_.anyres, config_.vision.image_size, side);
    Tensor canvas = projected.slice(0, 1)
                        .view({plan.rows, plan.columns, side, side, hidden})
                        .permute({4, 0, 2, 1, 3})
                        .reshape({hidden, plan.rows * side, plan.columns * side})
                        .slice(1, plan.offset.height, plan.offset.height + plan.kept.height)
                        .slice(2, plan.offset.width, plan.offset.width + plan.kept.width);
    const auto [height, width] = plan.shrunk;
    if (!(plan.shrunk == plan.kept))
      canvas = at::upsample_bilinear2d(canvas.unsqueeze(0), {height, width}, false).squeeze(0);
    const Tensor rows =
        at::cat({canvas.permute({1, 2, 0}), newline_.expand({height, 1, hidden})}, 1);
    return at::cat({projected[0], rows.flatten(0, 1)});
  }

  /// [frames, tokens, hidden]; without `pool` the projector's.
  Tensor frame_tokens(const Tensor& pixels, bool pool, const StageSink& sink) const {
    const BlockSink after_block = block_stages(sink, "vision", "embeddings");
    const std::int64_t frames = pixels.size(0);
    const bool whole = at::GradMode::is_enabled() || sink;
    const std::int64_t step = whole ? frames : kFramesAtATime;
    std::vector<Tensor> outputs;
    for (std::int64_t begin = 0; begin < frames; begin += step) {
      const Tensor features =
          vision_(pixels.slice(0, begin, std::min(frames, begin + step)), after_block);
      const Tensor projected = projector_out_(exact_gelu(projector_in_(features)));
      if (sink) sink("vision.projected", projected);
      outputs.push_back(pool ? pooled(projected) : projected);
    }
    return at::cat(outputs, 0);
  }

  double flops_of(std::int64_t frames, std::int64_t chunks) const {
    const auto rows = static_cast<double>(frames * config_.vision.patches());
    const double sound = config_.ears ? tarsier::flops(*config_.ears, chunks) : 0;
    return tarsier::flops(config_.vision, frames) + sound +
           2 * rows *
               static_cast<double>(projector_in_.weight.numel() + projector_out_.weight.numel());
  }

  LlavaEncoderConfig config_;
  ClipVit vision_;
  Linear projector_in_, projector_out_;
  Tensor newline_;  // [hidden]
  std::optional<SalmonnEars> ears_;
};

}  // namespace

Tensor pool_patches(const Tensor& patches, LlavaEncoderConfig::Pool pool) {
  const auto side =
      static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(patches.size(1)))));
  const Tensor square = patches.transpose(1, 2).unflatten(2, {side, side});
  const std::int64_t half = (side + 1) / 2;
  return (pool == Pool::bilinear
              ? at::upsample_bilinear2d(square, {half, half}, /*align_corners=*/false)
              : at::max_pool2d(square, {2, 2}, {2, 2}))
      .permute({0, 2, 3, 1});
}

std::int64_t LlavaEncoderConfig::pooled_side() const {
  return pool == Pool::bilinear ? (vision.side() + 1) / 2 : vision.side() / 2;
}

std::int64_t LlavaEncoderConfig::tokens_per_frame() const {
  const std::int64_t side = pooled_side();
  return pool == Pool::bilinear ? side * side : side * (side + 1);
}

std::unique_ptr<MediaEncoder> llava_encoder(const LlavaEncoderConfig& config) {
  return std::make_unique<LlavaEncoder>(config);
}

}  // namespace tarsier
