#include "tarsier/models/tarsier.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/models/llama_decoder_config.h"
#include "tarsier/models/towers/clip_vit.h"
#include "tarsier/nn/activation.h"
#include "tarsier/processors/square_frames.h"

namespace tarsier {
namespace {

// Upstream never cuts a prompt, and rotary positions go on past the trained 4,096 (trap 39).
constexpr std::int64_t kMaxTokens = 1 << 17;

// models-tarsier.md 5.1: no system turn, one space behind a question, none behind an answer's end.
// One <image> stands for all of a file's frames.
constexpr std::string_view kTemplate =
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}USER: {% set seen = namespace(media=false) %}"
    "{% for part in message['content'] %}{% if part['type'] != 'text' %}"
    "{% set seen.media = true %}<image>{% endif %}{% endfor %}"
    "{% if seen.media %}{{ '\n' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% endif %}{% endfor %} "
    "{% elif message['role'] == 'assistant' %}ASSISTANT: "
    "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{{ eos_token }}"
    "{% else %}{{ raise_exception('Tarsier has no turn of the ' ~ message['role'] ~ "
    "'; leave it out') }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT: {% endif %}";

/// CLIP's features, projected, with a token of the vocabulary behind each row of patches and one
/// behind each frame.
class TarsierEncoder final : public MediaEncoder {
 public:
  TarsierEncoder(const ClipVitConfig& vision, std::int64_t hidden_size, std::int64_t newline,
                 std::int64_t frame_end)
      : vision_(vision),
        projector_in_(vision.width, hidden_size, true),
        projector_out_(hidden_size, hidden_size, true),
        newline_(newline),
        frame_end_(frame_end) {}

  static std::int64_t tokens_per_frame(const ClipVitConfig& vision) {
    return vision.side() * (vision.side() + 1) + 1;
  }

  Tensor encode(const MediaInputs& media, const CausalDecoder& decoder,
                const StageSink& sink) const override {
    const at::Device device = decoder.device();
    const BlockSink after_block = block_stages(sink, "vision", "embeddings");
    const Tensor features = vision_(media.pixels.to(device), after_block);
    const Tensor projected = projector_out_(exact_gelu(projector_in_(features)));
    if (sink) sink("vision.projected", projected);
    const std::int64_t frames = projected.size(0), side = vision_.config().side(),
                       hidden = projected.size(2);
    const Tensor words = decoder.embed(at::tensor({newline_, frame_end_}, at::kLong).to(device))
                             .to(projected.scalar_type());
    const Tensor rows = at::cat({projected.view({frames, side, side, hidden}),
                                 words[0].expand({frames, side, 1, hidden})},
                                2)
                            .view({frames, side * (side + 1), hidden});
    const Tensor merged =
        at::cat({rows, words[1].expand({frames, 1, hidden})}, 1).view({-1, hidden});
    if (sink) sink("vision.merged", merged);
    return merged;
  }

  double flops(const MediaInputs& media) const override {
    return media.pixels.defined() ? flops_of(media.pixels.size(0)) : 0;
  }

  EncodeCost cost(const SeenMedia& seen, std::int64_t element_bytes) const override {
    const ClipVitConfig& c = vision_.config();
    const std::int64_t values = c.tokens() * c.width;
    // A frame at a time: the stream, its norm, q, k and v or the wide layer, and one head's scores.
    const std::int64_t work =
        (2 * values + std::max(3 * values, c.tokens() * c.intermediate)) * element_bytes +
        c.heads * c.tokens() * c.tokens() * 4;
    return {flops_of(seen.frames), seen.frames * c.channels * c.image_size * c.image_size * 4,
            work + seen.tokens * projector_out_.weight.size(0) * element_bytes * 2};
  }

  void visit(Scope scope) override {
    vision_.visit(scope / "vision_tower" / "vision_model");
    projector_in_.visit(scope / "multi_modal_projector" / "linear_1");
    projector_out_.visit(scope / "multi_modal_projector" / "linear_2");
  }
  std::vector<std::string> unused_names() const override {
    std::vector<std::string> names = vision_.unused_names();
    for (std::string& name : names) name.insert(0, "vision_tower.vision_model.");
    return names;
  }
  std::int64_t unused_parameters() const override { return vision_.unused_parameters(); }
  void set_recompute(bool recompute) override { vision_.set_recompute(recompute); }

 private:
  double flops_of(std::int64_t frames) const {
    const auto rows = static_cast<double>(frames * vision_.config().patches());
    return tarsier::flops(vision_.config(), frames) +
           2 * rows *
               static_cast<double>(projector_in_.weight.numel() + projector_out_.weight.numel());
  }

  ClipVit vision_;
  Linear projector_in_, projector_out_;
  std::int64_t newline_, frame_end_;  // tokens of the vocabulary
};

void check_projector(const JsonView& config) {
  const std::string head = config.string_or("projection_head", "MLP");
  if (head != "MLP")
    config.at("projection_head")
        .fail("is '" + head + "', which is not supported", "Tarsier's checkpoints have 'MLP'");
  if (config.bool_or("add_transformer_projector", false))
    config.at("add_transformer_projector").fail("is true", "no published checkpoint has it");
  const std::string activation = config.string_or("projector_hidden_act", "gelu");
  if (activation != "gelu")
    config.at("projector_hidden_act").fail("is '" + activation + "'", "expected 'gelu'");
  const std::string kept = config.string_or("vision_feature_select_strategy", "default");
  if (kept != "default")
    config.at("vision_feature_select_strategy")
        .fail("is '" + kept + "'", "expected 'default': no class token");
}

std::int64_t vocabulary_row(const JsonView& config, const char* key, std::int64_t otherwise,
                            std::int64_t vocab_size) {
  if (config.has(key)) return config.at(key).as_int(0, vocab_size - 1);
  if (otherwise < vocab_size) return otherwise;
  config.at(key);  // is missing
  throw_broken_promise("a missing key is refused");
}

}  // namespace

Network tarsier_network(const JsonView& config) {
  check_projector(config);
  const ClipVitConfig vision =
      clip_vit_config(config.at("vision_config"), config.int_or("vision_feature_layer", -2));
  Network network;
  network.decoder = llama_decoder_config(config.at("text_config"));
  const std::int64_t vocabulary = network.decoder.vocab_size;
  network.encoder = std::make_unique<TarsierEncoder>(
      vision, network.decoder.hidden_size,
      vocabulary_row(config, "image_newline_idx", 32002, vocabulary),
      vocabulary_row(config, "image_new_idx", 32003, vocabulary));
  network.names = kTarsierNames;
  network.published_names = kPublishedTarsierNames;
  return network;
}

Family tarsier_family(const std::filesystem::path& directory, const JsonView& config,
                      const LoadOptions& options) {
  Family family;
  family.name = "tarsier";
  family.network = tarsier_network(config);
  const SquareImageConfig processor = read_clip_image_config(directory);
  if (options.max_pixels && *options.max_pixels != processor.side * processor.side) {
    throw ConfigError({"--max-pixels", "does not apply to this model",
                       fmt::format("Tarsier sees every frame as {0}x{0}", processor.side)});
  }
  const ClipVitConfig vision =
      clip_vit_config(config.at("vision_config"), config.int_or("vision_feature_layer", -2));
  if (vision.image_size != processor.side) {
    throw CheckpointError({"preprocessor_config.json: size",
                           fmt::format("is {}, but the vision tower of config.json takes {}",
                                       processor.side, vision.image_size),
                           "the processor files belong to another model"});
  }
  const std::int64_t tokens = TarsierEncoder::tokens_per_frame(vision), side = vision.side();
  family.plan_media = [=](const Conversation& c) {
    return plan_square_media(c, processor.side, side, tokens);
  };
  family.prepare_media = [=](const Conversation& c) {
    return prepare_square_media(c, processor, side, tokens);
  };
  family.sampling = tarsier_sampling();
  family.prompt.image_token =
      config.at("image_token_index").as_int(0, family.network.decoder.vocab_size - 1);
  family.prompt.video_token = -1;
  family.prompt.one_placeholder = true;
  family.prompt.sequence_tokens = true;
  family.prompt.positions = counting_rule();
  family.template_text = kTemplate;
  family.template_name = "Tarsier";
  family.own_template = true;
  family.max_tokens = kMaxTokens;
  return family;
}

}  // namespace tarsier
