#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/checkpoint/weight_index.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/clip.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/cost.h"
#include "tarsier/cli/default_model.h"
#include "tarsier/cli/machine.h"
#include "tarsier/cli/plan_training.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

struct Flags {
  OutputFlags output;
  std::string model, dtype, media, size;
  FrameRequest request;
  std::optional<std::int64_t> max_pixels;
  std::int64_t new_tokens = kDefaultNewTokens;
  bool train = false;
  TrainingFlags training;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "plan",
                   "What describing a clip, or a training step, would need: weights, activations, "
                   "cache, tokens, arithmetic. Nothing is loaded; figures for memory are "
                   "estimates.",
                   {"tarsier plan clip.mp4",
                    "tarsier plan --model Tarsier2-Recap-7b --frames 16 --size 1280x720",
                    "tarsier plan --train --recompute --model Tarsier2-Recap-7b --frames 16 --size "
                    "1280x720"});
  add_output_flags(app, flags.output);
  app.add_option("--model", flags.model,
                 "Model directory; without it, the model that comes with tarsier")
      ->type_name("DIR");
  app.add_option("--dtype", flags.dtype, "f32, bf16 or f16; without it, as describe chooses")
      ->type_name("TYPE");
  app.add_option("--frames", flags.request.frames, "How many frames")->type_name("N");
  app.add_option("--fps", flags.request.fps, "Frames a second of MEDIA, in place of --frames")
      ->type_name("RATE");
  app.add_option("--start", flags.request.start, "Look from here on")->type_name("SECONDS");
  app.add_option("--end", flags.request.end, "Look up to here")->type_name("SECONDS");
  app.add_option("--size", flags.size, "Of a frame, in place of MEDIA")->type_name("WxH");
  app.add_option("--max-pixels", flags.max_pixels,
                 "Most pixels of a frame after resizing; without it, the model's own")
      ->type_name("N");
  app.add_option("--max-new-tokens", flags.new_tokens, "Longest answer")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
      ->type_name("N");
  app.add_option("MEDIA", flags.media, "A video or image file; only its header is read");
  add_training_flags(app, flags.train, flags.training);
  if (!parse_arguments(app, arguments)) return false;
  if (flags.media.empty() == flags.size.empty())
    throw ConfigError({"MEDIA", "or --size, one of them", "see `tarsier plan --help`"});
  if (!flags.size.empty() && !flags.request.frames)
    throw ConfigError({"--frames", "missing beside --size", "say how many frames"});
  if (!flags.size.empty() && (flags.request.fps || flags.request.start || flags.request.end)) {
    throw ConfigError({"--size", "knows no times", "use --frames, or pass a file"});
  }
  return true;
}

Size parse_size(const std::string& text) {
  const auto number = [&](std::string_view part) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 1 || value > 65536) {
      throw ConfigError(
          {"--size", "'" + text + "' is not a size", "write width x height, as 1280x720"});
    }
    return value;
  };
  const std::size_t cross = text.find('x');
  if (cross == std::string::npos) number("");
  const std::int64_t width = number(std::string_view(text).substr(0, cross));
  return {number(std::string_view(text).substr(cross + 1)), width};
}

/// The conversation whose length is planned for.
Conversation about(std::shared_ptr<const Pictures> pictures) {
  const bool image = pictures->modality == Modality::image;
  return {
      {"user",
       {Part{"", std::move(pictures)},
        Part{image ? "Describe the image in detail." : "Describe the video in detail.", nullptr}}}};
}

/// Pictures of the right number and size without a pixel in them.
std::shared_ptr<const Pictures> outline(const Flags& flags, const SamplingRule& rule) {
  auto pictures = std::make_shared<Pictures>();
  Size size;
  std::int64_t frames = 0;
  if (flags.media.empty()) {
    size = parse_size(flags.size);
    frames = *flags.request.frames;
    if (frames < 1 || frames > rule.max_frames) {
      throw ConfigError({"--frames",
                         fmt::format("is {}, the model takes 1 to {}", frames, rule.max_frames),
                         "ask for that many"});
    }
  } else {
    const VideoReader reader(flags.media);
    size = {reader.info().height, reader.info().width};
    pictures->modality = reader.info().is_still_image ? Modality::image : Modality::video;
    frames = 1;
    if (!reader.info().is_still_image) {
      const FrameChoice choice =
          choose_frames(rule, reader.info(), reader.frame_seconds(), flags.request);
      frames = static_cast<std::int64_t>(choice.indices.size());
      pictures->seconds = choice.part_seconds;
    }
  }
  for (std::int64_t i = 0; i < frames; ++i)
    pictures->frames.push_back({i, static_cast<double>(i), size.height, size.width, {}});
  return pictures;
}

/// The type most weights are stored in: loaded as that, they stay in the file.
at::ScalarType stored_dtype(const Checkpoint& checkpoint) {
  std::map<DType, std::size_t> bytes;
  for (const auto& [name, tensor] : checkpoint.tensors())
    bytes[tensor.dtype] += tensor.bytes.size();
  const auto of = [&](DType dtype) { return bytes.contains(dtype) ? bytes[dtype] : 0; };
  if (of(DType::bf16) >= of(DType::f32) && of(DType::bf16) >= of(DType::f16)) return at::kBFloat16;
  return of(DType::f16) > of(DType::f32) ? at::kHalf : at::kFloat;
}

/// What describe would compute in.
at::ScalarType compute_dtype(const Flags& flags, at::ScalarType stored, std::int64_t parameters) {
  if (!flags.dtype.empty()) return parse_dtype(flags.dtype);
  return parameters * 4 <= read_machine().memory_bytes / 2 ? at::kFloat : stored;
}

/// Weights need not be there: a recipe may begin with fresh ones.
nlohmann::ordered_json make_training_plan(const Flags& flags) {
  const std::filesystem::path directory = model_directory(flags.model);
  LoadOptions options;
  options.max_pixels = flags.max_pixels;
  options.without_weights = true;
  const auto model = load_model(directory, options);
  const std::string& family = model->info().family;
  if (family != "qwen2_vl" && family != "tarsier2") {
    throw ConfigError({"--train", "cannot plan the training of " + family,
                       "plan its answers without --train, or use a Qwen2-VL or Tarsier2 model"});
  }
  const JsonView config = read_json(directory / "config.json", JsonOwner::checkpoint);
  const Conversation conversation = about(outline(flags, model->sampling()));
  const ModelInputs inputs = model->prepare(conversation, PromptPurpose::generate_without_pixels);
  return plan_training(
      flags.training, flags.dtype, *model,
      qwen2_vl_vit_config(config.at("vision_config"), model->decoder().config().hidden_size),
      model->plan_media(conversation).at(0),
      static_cast<std::int64_t>(inputs.prompt.tokens.size()));
}

/// A model as far as a plan needs it: with its weights or, where only their index is here, without.
struct Planned {
  Family family;
  std::string name;
  at::ScalarType stored = at::kBFloat16;
  std::int64_t parameters = 0;
  bool here = true;  // the weights, not only their index
};

/// The type that config.json says the weights are stored in; bf16 where it says nothing.
at::ScalarType configured_dtype(const std::filesystem::path& directory) {
  const JsonView config = read_json(directory / "config.json", JsonOwner::checkpoint);
  const std::string name = config.string_or("dtype", config.string_or("torch_dtype", "bfloat16"));
  return name == "float32" ? at::kFloat : name == "float16" ? at::kHalf : at::kBFloat16;
}

Planned read_planned(const Flags& flags, const std::filesystem::path& directory) {
  LoadOptions options;
  options.max_pixels = flags.max_pixels;
  Planned planned{read_family(directory, options),
                  std::filesystem::weakly_canonical(directory).filename().string()};
  const bool here = !index_without_weights(directory);
  if (here) {
    const Checkpoint checkpoint = Checkpoint::open(directory);
    planned.stored = stored_dtype(checkpoint);
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      std::int64_t values = is_ignored_tensor(name) ? 0 : 1;
      for (const std::int64_t size : tensor.shape) values *= size;
      planned.parameters += values;
    }
  } else {
    planned.stored = configured_dtype(directory);
    planned.parameters = planned.family.network.encoder->unused_parameters();
    const TensorVisitor count = [&](const std::string&, Tensor& tensor) {
      planned.parameters += tensor.numel();
    };
    planned.family.network.encoder->visit(Scope(count));
    CausalDecoder(planned.family.network.decoder).visit(Scope(count));
  }
  planned.here = here;
  return planned;
}

/// Tokens of the whole prompt. Where the tokenizer is not here either, the words are taken for as
/// many as they have letters.
std::int64_t prompt_tokens_of(const Flags& flags, const std::filesystem::path& directory,
                              const Conversation& conversation, std::int64_t media_tokens) {
  constexpr const char* kTokenizers[] = {"tokenizer.json", "tokenizer.model", "vocab.json"};
  const auto there = [&](const char* file) { return std::filesystem::exists(directory / file); };
  if (std::ranges::none_of(kTokenizers, there))
    return media_tokens + std::ssize(conversation[0].parts.back().text);
  LoadOptions options;
  options.max_pixels = flags.max_pixels;
  options.without_weights = true;
  return std::ssize(load_model(directory, options)
                        ->prepare(conversation, PromptPurpose::generate_without_pixels)
                        .prompt.tokens);
}

nlohmann::ordered_json make_plan(const Flags& flags) {
  const std::filesystem::path directory = model_directory(flags.model);
  const Planned planned = read_planned(flags, directory);
  const DecoderConfig& decoder = planned.family.network.decoder;

  const Conversation conversation = about(outline(flags, planned.family.sampling));
  const SeenMedia seen = planned.family.plan_media(conversation).at(0);
  const std::int64_t prompt_tokens = prompt_tokens_of(flags, directory, conversation, seen.tokens);
  SamplingParams sampling;
  sampling.max_new_tokens = flags.new_tokens;
  ModelInfo info;
  info.name = planned.name;
  info.max_tokens = planned.family.max_tokens;
  new_token_limit(info, prompt_tokens, sampling);

  const at::ScalarType dtype = compute_dtype(flags, planned.stored, planned.parameters);
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype));
  const std::int64_t weights = planned.parameters * element;
  const EncodeCost encoding = planned.family.network.encoder->cost(seen, element);
  const std::int64_t pixels = encoding.input_bytes, vision_bytes = encoding.activation_bytes;
  const std::int64_t prefill_bytes = prefill_activation_bytes(decoder, prompt_tokens, element);
  const std::int64_t cache =
      (prompt_tokens + flags.new_tokens) * cache_bytes_per_token(decoder, dtype);
  const std::int64_t total = weights + pixels + std::max(vision_bytes, prefill_bytes + cache);
  const ClipFlops flops = clip_flops(decoder, encoding.flops, prompt_tokens);
  const std::int64_t available = read_machine().available_bytes;
  return {{"model", planned.name},
          {"family", planned.family.name},
          {"dtype", name_of(dtype)},
          {"parameters", planned.parameters},
          {"frames", seen.frames},
          {"source_size", {seen.source.width, seen.source.height}},
          {"size", {seen.resized.width, seen.resized.height}},
          {"visual_tokens", seen.tokens},
          {"prompt_tokens", prompt_tokens},
          {"max_new_tokens", flags.new_tokens},
          {"weights_bytes", weights},
          {"weights_here", planned.here},
          {"weights_mapped", planned.here && dtype == planned.stored},
          {"pixels_bytes", pixels},
          {"vision_activation_bytes", vision_bytes},
          {"prefill_activation_bytes", prefill_bytes},
          {"cache_bytes", cache},
          {"total_bytes", total},
          {"available_bytes", available},
          {"fits", total <= available},
          {"vision_flops", flops.vision},
          {"prefill_flops", flops.prefill},
          {"flops_per_new_token", flops.per_new_token}};
}

std::string as_text(const nlohmann::ordered_json& plan) {
  const auto number = [&](const char* key) { return plan[key].get<std::int64_t>(); };
  const auto giga = [&](const char* key) { return plan[key].get<double>() / 1e9; };
  std::string text =
      fmt::format("model      {}, {} parameters, {}\n", plan["model"].get<std::string>(),
                  number("parameters"), plan["dtype"].get<std::string>());
  text += fmt::format("clip       {} frames, {}x{} seen as {}x{}\n", number("frames"),
                      plan["source_size"][0].get<std::int64_t>(),
                      plan["source_size"][1].get<std::int64_t>(),
                      plan["size"][0].get<std::int64_t>(), plan["size"][1].get<std::int64_t>());
  text += fmt::format("tokens     {} visual, {} in the prompt, up to {} new\n",
                      number("visual_tokens"), number("prompt_tokens"), number("max_new_tokens"));
  text += fmt::format("weights    {}{}\n", bytes_text(plan["weights_bytes"]),
                      plan["weights_mapped"].get<bool>() ? ", mapped from the files" : "");
  text += fmt::format("pixels     {}\n", bytes_text(plan["pixels_bytes"]));
  text += fmt::format("vision     about {} at work, {:.3g} GFLOP\n",
                      bytes_text(plan["vision_activation_bytes"]), giga("vision_flops"));
  text += fmt::format("prompt     about {} at work, {:.3g} GFLOP\n",
                      bytes_text(plan["prefill_activation_bytes"]), giga("prefill_flops"));
  text += fmt::format("cache      {}\n", bytes_text(plan["cache_bytes"]));
  text += fmt::format("answer     {:.3g} GFLOP a token\n", giga("flops_per_new_token"));
  text += fmt::format("in all     about {}; {} available: {}\n", bytes_text(plan["total_bytes"]),
                      bytes_text(plan["available_bytes"]),
                      plan["fits"].get<bool>() ? "fits" : "does not fit");
  return text;
}

}  // namespace

int run_plan(const CommandContext& /*context*/, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const nlohmann::ordered_json plan = flags.train ? make_training_plan(flags) : make_plan(flags);
  const auto& text = flags.train ? training_plan_text : as_text;
  print_answer(flags.output.json ? line_of(plan) : text(plan));
  return kExitOk;
}

}  // namespace tarsier
