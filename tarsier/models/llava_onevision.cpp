#include "tarsier/models/llava_onevision.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "tarsier/models/llava_qwen.h"

namespace tarsier {
namespace {

// LLaVA's "qwen_1_5" conversation; media stand before their question, with one line break.
constexpr std::string_view kTemplate =
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>{{ '\n' }}{% endif %}"
    "<|im_start|>{{ message['role'] }}{{ '\n' }}{% set seen = namespace(media=false) %}"
    "{% for part in message['content'] %}{% if part['type'] != 'text' %}"
    "{% set seen.media = true %}<image>{% endif %}{% endfor %}"
    "{% if seen.media %}{{ '\n' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% endif %}{% endfor %}<|im_end|>{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}";

void require(const JsonView& config, const char* key, const std::string& expected) {
  const std::string value = config.string_or(key, expected);
  if (value == expected) return;
  config.at(key).fail(
      fmt::format("is '{}', which LLaVA-OneVision does not have", value),
      fmt::format("expected '{}'; video-SALMONN 2 without its weights for sound needs a "
                  "salmonn2_config.json",
                  expected));
}

/// Canvases as pairs of width and height, or "(1x1),...,(6x6)" in squares.
std::vector<Size> canvases(const JsonView& config, std::int64_t side) {
  std::vector<Size> found;
  if (const auto list = config.find("image_grid_pinpoints"); list && list->is_array()) {
    for (std::int64_t i = 0; i < list->size(); ++i) {
      const std::int64_t width = list->at(i).at(std::int64_t{0}).as_int(side, 64 * side),
                         height = list->at(i).at(std::int64_t{1}).as_int(side, 64 * side);
      if (width % side != 0 || height % side != 0)
        list->at(i).fail(fmt::format("is not in multiples of {}", side),
                         "images are cut into squares of the vision tower's size");
      found.push_back({height, width});
    }
    return found;
  }
  std::int64_t columns = 6, rows = 6;
  const std::string range = config.string_or("image_grid_pinpoints", "(1x1),...,(6x6)");
  char end = 0;
  if (std::sscanf(range.c_str(), "(1x1),...,(%2ldx%2ld%c", &columns, &rows, &end) != 3 ||
      end != ')' || columns < 1 || rows < 1) {
    config.at("image_grid_pinpoints")
        .fail("is '" + range + "'", "expected a list of widths and heights, or (1x1),...,(6x6)");
  }
  for (std::int64_t column = 1; column <= columns; ++column)
    for (std::int64_t row = 1; row <= rows; ++row) found.push_back({row * side, column * side});
  return found;
}

/// Nothing where images are put together in a way that LLaVA-OneVision's release does not have.
std::optional<AnyresConfig> read_anyres(const JsonView& config, std::int64_t side) {
  constexpr std::string_view kKind = "anyres_max_";
  const std::string aspect = config.string_or("image_aspect_ratio", "");
  if (!aspect.starts_with(kKind) ||
      config.string_or("mm_patch_merge_type", "flat") != "spatial_unpad")
    return std::nullopt;
  AnyresConfig anyres;
  const char* digits = aspect.data() + kKind.size();
  const auto [behind, error] =
      std::from_chars(digits, aspect.data() + aspect.size(), anyres.max_tiles);
  if (error != std::errc{} || *behind != '\0' || anyres.max_tiles < 1) {
    config.at("image_aspect_ratio")
        .fail("is '" + aspect + "'", "expected anyres_max_ and a number, as anyres_max_9");
  }
  anyres.canvases = canvases(config, side);
  if (anyres.canvases.empty())
    config.at("image_grid_pinpoints").fail("is empty", "an image needs a canvas");
  return anyres;
}

/// CheckpointError for settings of another family.
LlavaEncoderConfig encoder_config(const JsonView& config) {
  require(config, "mm_spatial_pool_mode", "bilinear");
  require(config, "mm_newline_position", "one_token");
  if (config.int_or("mm_spatial_pool_stride", 2) != 2)
    config.at("mm_spatial_pool_stride").fail("is not 2", "LLaVA-OneVision halves a frame's side");
  LlavaEncoderConfig encoder;
  encoder.vision = llava_qwen_vision(config);
  encoder.hidden_size = config.at("hidden_size").as_int(1, 1 << 20);
  encoder.pool = LlavaEncoderConfig::Pool::bilinear;
  encoder.anyres = read_anyres(config, encoder.vision.image_size);
  return encoder;
}

}  // namespace

Network llava_onevision_network(const std::filesystem::path& /*directory*/,
                                const JsonView& config) {
  return llava_qwen_network(config, encoder_config(config));
}

Family llava_onevision_family(const std::filesystem::path& /*directory*/, const JsonView& config,
                              const LoadOptions& options) {
  LlavaMediaConfig media;
  media.family = "LLaVA-OneVision";
  LlavaEncoderConfig encoder = encoder_config(config);
  // Training's batches do not say which of their squares are an image's.
  if (options.trainable) encoder.anyres.reset();
  Family family = llava_qwen_family(config, encoder, media, options);
  family.name = "llava_onevision";
  family.sampling = llava_onevision_sampling();
  family.prompt.max_tokens = config.int_or("tokenizer_model_max_length", 32768);
  family.template_text = kTemplate;
  family.template_name = "LLaVA-OneVision";
  return family;
}

}  // namespace tarsier
