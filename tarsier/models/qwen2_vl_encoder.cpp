#include "tarsier/models/qwen2_vl_encoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/models/flops.h"

namespace tarsier {
namespace {

class Qwen2VlEncoder final : public MediaEncoder {
 public:
  explicit Qwen2VlEncoder(const Qwen2VlVitConfig& vision) : vision_(vision) {}

  Tensor encode(const MediaInputs& media, const CausalDecoder& decoder,
                const StageSink& sink) const override {
    const at::Device device = decoder.device();
    const BlockSink after_block = block_stages(sink, "vision", "patch_embed");
    const Tensor merged = vision_(media.pixels.to(device), media.grid, after_block);
    if (sink) sink("vision.merged", merged);
    return merged;
  }

  double flops(const MediaInputs& media) const override {
    double flops = 0;
    for (const PatchGrid& grid : grids_of(media.grid))
      flops += vision_flops(vision_.config(), grid);
    return flops;
  }

  EncodeCost cost(const SeenMedia& seen, std::int64_t element_bytes) const override {
    return {vision_flops(vision_.config(), seen.grid),
            seen.grid.patches() * vision_.config().patch_values() * 4,
            vision_activation_bytes(vision_.config(), seen.grid, element_bytes)};
  }

  void visit(Scope scope) override { vision_.visit(scope / "visual"); }
  void set_recompute(bool recompute) override { vision_.set_recompute(recompute); }

 private:
  Qwen2VlVit vision_;
};

void expect_equal(const char* key, std::int64_t vision, std::int64_t processor) {
  if (vision == processor) return;
  throw CheckpointError(
      {"preprocessor_config.json: " + std::string(key),
       fmt::format("is {}, but the vision tower of config.json has {}", processor, vision),
       "the processor files belong to another model"});
}

}  // namespace

std::unique_ptr<MediaEncoder> qwen2_vl_encoder(const Qwen2VlVitConfig& vision) {
  return std::make_unique<Qwen2VlEncoder>(vision);
}

void check_processor(const Qwen2VlVitConfig& vision, const Qwen2VlVideoConfig& processor) {
  expect_equal("patch_size", vision.patch_size, processor.patch_size);
  expect_equal("temporal_patch_size", vision.temporal_patch_size, processor.temporal_patch_size);
  expect_equal("merge_size", vision.merge_size, processor.merge_size);
}

void limit_pixels(Qwen2VlVideoConfig& processor, std::optional<std::int64_t> max_pixels) {
  if (!max_pixels) return;
  for (PixelBudget* budget : {&processor.image, &processor.video, &processor.tarsier2.frame}) {
    if (*max_pixels < std::max(budget->min_pixels, processor.factor() * processor.factor())) {
      throw ConfigError(
          {"--max-pixels",
           fmt::format("{} is below the {} the model needs", *max_pixels,
                       std::max(budget->min_pixels, processor.factor() * processor.factor())),
           "give more, or leave it out"});
    }
    budget->max_pixels = *max_pixels;
  }
}

PositionsAfterMedia positions_after_media(const JsonView& config) {
  const std::optional<JsonView> text = config.find("text_config");
  const std::string version = config.string_or(
      "transformers_version", text ? text->string_or("transformers_version", "0") : "0");
  const std::string major = version.substr(0, version.find('.'));
  const bool number = !major.empty() && major.size() < 4 &&
                      major.find_first_not_of("0123456789") == std::string::npos;
  return number && std::stoi(major) >= 5 ? PositionsAfterMedia::picture_sides
                                         : PositionsAfterMedia::longest_axis;
}

}  // namespace tarsier
