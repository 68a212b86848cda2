#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/models/conversion.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

// "5GB", "500MB", "2GiB" or a number of bytes.
std::int64_t parse_size(const std::string& text) {
  struct Unit {
    const char* name;
    std::int64_t bytes;
  };
  constexpr Unit kUnits[] = {
      {"", 1},          {"KB", 1'000},    {"MB", 1'000'000}, {"GB", 1'000'000'000},
      {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
  std::size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  for (const Unit& unit : kUnits) {
    if (digits == 0 || digits > 12 || text.substr(digits) != unit.name) continue;
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(std::stoll(text.substr(0, digits)), unit.bytes, &bytes) ||
        bytes == 0)
      break;
    return bytes;
  }
  throw ConfigError({"--max-shard-size", fmt::format("'{}' is not a size", text),
                     "write it as 5GB, 500MB, 2GiB or a number of bytes"});
}

std::string as_text(const std::string& out, const ConversionReport& report) {
  std::string text = fmt::format("{}: {} tensors, {} bytes in {}", out, report.tensors,
                                 report.bytes, fmt::join(report.files, ", "));
  if (report.merged > 0)
    text += fmt::format("; {} of them with a LoRA change merged", report.merged);
  if (!report.left_out.empty())
    text += fmt::format("; left out: {}", fmt::join(report.left_out, ", "));
  return text + "\n";
}

std::string as_json(const std::string& out, const ConversionReport& report) {
  const nlohmann::ordered_json json = {{"out", out},
                                       {"tensors", report.tensors},
                                       {"bytes", report.bytes},
                                       {"merged", report.merged},
                                       {"files", report.files},
                                       {"left_out", report.left_out}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_convert(const CommandContext& context, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  std::string in, out, dtype, adapter, shard_size = "5GB";
  double lora_alpha = 0;
  describe_command(
      app, "convert",
      "Write weights of torch.save (.bin, .pt, .pth) or safetensors as a safetensors model "
      "directory, with the settings and tokenizer files beside them. Only tensors are read from "
      "the files of torch.save, and nothing in them is run. OUT appears whole or not at all.",
      {"tarsier convert old-model new-model --dtype bf16",
       "tarsier convert runs/sft/checkpoint-2000.bin merged --lora-alpha 256",
       "tarsier convert video_SALMONN2plus_7B_audioAlign merged --merge-adapter "
       "video-SALMONN-2_plus_7B"});
  add_output_flags(app, output);
  app.add_option("--dtype", dtype, "Type of floating-point weights: f32, bf16 or f16 (as stored)")
      ->type_name("TYPE");
  app.add_option("--merge-adapter", adapter, "A LoRA adapter in PEFT's layout to merge first")
      ->type_name("DIR");
  CLI::Option* alpha =
      app.add_option("--lora-alpha", lora_alpha,
                     "Alpha of LoRA weights that stand among the others, as in video-SALMONN 2's "
                     "training checkpoints")
          ->type_name("NUMBER");
  app.add_option("--max-shard-size", shard_size, "Largest file of weights")
      ->capture_default_str()
      ->type_name("SIZE");
  app.add_option("IN", in, "A file of weights, or a directory that holds them")->required();
  app.add_option("OUT", out, "The directory to write, which must not be there yet")->required();
  if (!parse_arguments(app, arguments)) return kExitOk;

  ConversionOptions options;
  if (!dtype.empty()) options.dtype = parse_dtype(dtype);
  options.adapter = adapter;
  if (alpha->count() > 0) {
    if (!std::isfinite(lora_alpha) || lora_alpha <= 0)
      throw ConfigError(
          {"--lora-alpha", "is no positive number", "video-SALMONN 2 trains with 256"});
    options.lora_alpha = lora_alpha;
  }
  options.max_shard_bytes = parse_size(shard_size);
  const auto report = convert_weights(in, out, options, context.stop);
  if (!report) {
    log_info(out + ": not written: stopped");
    return kExitOk;
  }
  print_answer(output.json ? as_json(out, *report) : as_text(out, *report));
  return kExitOk;
}

}  // namespace tarsier
