#include "tarsier/cli/plan_training.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/cost.h"
#include "tarsier/cli/machine.h"
#include "tarsier/cli/training_cost.h"
#include "tarsier/models/flops.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

std::int64_t element_bytes(const std::string& dtype) {
  if (dtype.empty()) return 4;
  const at::ScalarType type = parse_dtype(dtype);
  if (type == at::kHalf)
    throw ConfigError({"--dtype f16", "is no type to train in", "use f32 or bf16"});
  return static_cast<std::int64_t>(c10::elementSize(type));
}

}  // namespace

void add_training_flags(CLI::App& app, bool& train, TrainingFlags& flags) {
  CLI::Option* mode = app.add_flag("--train", train, "Plan a training step in place of an answer")
                          ->excludes(app.get_option("--max-new-tokens"));
  const auto count = CLI::Range(std::int64_t{1}, std::int64_t{1} << 24);
  app.add_option("--clips", flags.clips, "Clips of a micro-batch, in a plan of training")
      ->capture_default_str()
      ->check(count)
      ->needs(mode);
  app.add_option("--answer-tokens", flags.answer_tokens,
                 "Tokens of a clip's questions and answers together")
      ->capture_default_str()
      ->check(count)
      ->needs(mode);
  app.add_option("--accumulate", flags.accumulate, "Micro-batches of a step")
      ->capture_default_str()
      ->check(count)
      ->needs(mode);
  app.add_option("--workers", flags.workers, "Micro-batches side by side")
      ->capture_default_str()
      ->check(count)
      ->needs(mode);
  app.add_option("--logit-chunk", flags.logit_chunk, "Rows of logits that exist at a time")
      ->capture_default_str()
      ->check(count)
      ->needs(mode);
  app.add_option("--optimizer", flags.optimizer, "adamw or muon")
      ->capture_default_str()
      ->check(CLI::IsMember({"adamw", "muon"}))
      ->needs(mode);
  app.add_flag("--recompute", flags.recompute, "Layers keep their inputs alone")->needs(mode);
  app.add_flag("--ema", flags.ema, "Averages of the weights are kept")->needs(mode);
}

nlohmann::ordered_json plan_training(const TrainingFlags& flags, const std::string& dtype,
                                     const VideoLanguageModel& model,
                                     const Qwen2VlVitConfig& vision, const SeenMedia& seen,
                                     std::int64_t prompt_tokens) {
  const DecoderConfig& decoder = model.decoder().config();
  TrainingShape shape;
  shape.vision = vision;
  shape.decoder = decoder;
  shape.parameters = model.info().parameters;
  shape.element_bytes = element_bytes(dtype);
  shape.rule = flags.optimizer == "muon" ? UpdateRule::muon : UpdateRule::adamw;
  shape.averages = flags.ema;
  shape.recompute = flags.recompute;
  shape.clips = flags.clips;
  shape.accumulate = flags.accumulate;
  shape.workers = flags.workers;
  shape.logit_chunk = flags.logit_chunk;
  shape.patches = seen.grid.patches();
  shape.prompt_tokens = prompt_tokens;
  shape.answer_tokens = shape.target_tokens = flags.answer_tokens;
  const TrainingMemory memory = training_memory(shape);
  const std::int64_t tokens = prompt_tokens + flags.answer_tokens;
  const ClipFlops flops = clip_flops(decoder, vision_flops(vision, seen.grid), tokens);
  const std::int64_t available = read_machine().available_bytes;
  return {{"model", model.info().name},
          {"family", model.info().family},
          {"dtype", shape.element_bytes == 4 ? "f32" : "bf16"},
          {"optimizer", flags.optimizer},
          {"recompute", flags.recompute},
          {"parameters", shape.parameters},
          {"frames", seen.frames},
          {"source_size", {seen.source.width, seen.source.height}},
          {"size", {seen.resized.width, seen.resized.height}},
          {"clips", flags.clips},
          {"accumulate", flags.accumulate},
          {"workers", flags.workers},
          {"visual_tokens", seen.tokens},
          {"tokens", tokens},
          {"weights_bytes", memory.weights},
          {"master_bytes", memory.master},
          {"moments_bytes", memory.moments},
          {"average_bytes", memory.averages},
          {"gradients_bytes", memory.gradients},
          {"pixels_bytes", memory.pixels},
          {"decoder_layer_bytes", memory.decoder_layer},
          {"vision_block_bytes", memory.vision_block},
          {"activations_bytes", memory.activations},
          {"logits_bytes", memory.logits},
          {"total_bytes", memory.peak},
          {"available_bytes", available},
          {"fits", memory.peak <= available},
          {"step_flops", training_flops(shape, flops.vision, flops.prefill)}};
}

std::string training_plan_text(const nlohmann::ordered_json& plan) {
  const auto number = [&](const char* key) { return plan[key].get<std::int64_t>(); };
  const auto bytes = [&](const char* key) { return bytes_text(plan[key]); };
  std::string text = fmt::format(
      "model        {}, {} parameters, {}, {}\n", plan["model"].get<std::string>(),
      number("parameters"), plan["dtype"].get<std::string>(), plan["optimizer"].get<std::string>());
  text += fmt::format("step         {} x {} clips of {} frames, {} tokens each, {} visual\n",
                      number("accumulate"), number("clips"), number("frames"), number("tokens"),
                      number("visual_tokens"));
  text += fmt::format("weights      {}\n", bytes("weights_bytes"));
  if (number("master_bytes") > 0)
    text += fmt::format("master       {}, f32 copies\n", bytes("master_bytes"));
  text += fmt::format("moments      {}\n", bytes("moments_bytes"));
  if (number("average_bytes") > 0) text += fmt::format("averages     {}\n", bytes("average_bytes"));
  text += fmt::format("gradients    {}\n", bytes("gradients_bytes"));
  text += fmt::format("pixels       {}, of the steps prepared ahead\n", bytes("pixels_bytes"));
  text += fmt::format("activations  about {}: {} a decoder layer, {} a vision block{}\n",
                      bytes("activations_bytes"), bytes("decoder_layer_bytes"),
                      bytes("vision_block_bytes"),
                      plan["recompute"].get<bool>() ? ", inputs alone" : "");
  text += fmt::format("logits       {}\n", bytes("logits_bytes"));
  text += fmt::format("arithmetic   {:.3g} GFLOP a step\n", plan["step_flops"].get<double>() / 1e9);
  text +=
      fmt::format("in all       about {} at most at once; {} available: {}\n", bytes("total_bytes"),
                  bytes("available_bytes"), plan["fits"].get<bool>() ? "fits" : "does not fit");
  return text;
}

std::string bytes_text(const nlohmann::ordered_json& bytes) {
  const auto value = bytes.get<double>();
  if (value >= 1 << 30) return fmt::format("{:.2f} GiB", value / (1 << 30));
  if (value >= 1 << 20) return fmt::format("{:.1f} MiB", value / (1 << 20));
  return fmt::format("{:.1f} KiB", value / (1 << 10));
}

}  // namespace tarsier
