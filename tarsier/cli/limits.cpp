#include "tarsier/media/limits.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <variant>

#include "tarsier/checkpoint/pickle_machine.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/zip_members.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"

namespace tarsier {
namespace {

struct Limit {
  const char* name;
  std::variant<std::int64_t, double> value;
  const char* unit;
  const char* of;
};

std::vector<Limit> limits_in_force() {
  const MediaLimits media;
  return {
      {"media.max_pixels", media.max_pixels, "pixels", "one picture or frame"},
      {"media.max_frames_per_request", media.max_frames_per_request, "frames", "one request"},
      {"media.max_pixels_per_request", media.max_pixels_per_request, "pixels",
       "all frames of one request"},
      {"media.max_seconds", media.max_seconds, "s", "length of one video"},
      {"media.max_sound_seconds", media.max_sound_seconds, "s", "sound kept of one file"},
      {"media.max_packets", media.max_packets, "packets", "walked in one video stream"},
      {"media.max_streams", media.max_streams, "streams", "one file"},
      {"media.probe_bytes", media.probe_bytes, "bytes", "read to tell the kind of a file"},
      {"media.analyze_seconds", media.analyze_seconds, "s", "of media read to find its streams"},
      {"media.wall_clock_seconds", media.wall_clock_seconds, "s", "one reading of a file"},
      {"media.wall_clock_seconds_per_media_minute", media.wall_clock_seconds_per_media_minute, "s",
       "added for each minute of media"},
      {"safetensors.max_header_bytes", kMaxSafetensorsHeaderBytes, "bytes", "one file's header"},
      {"safetensors.max_tensors", kMaxTensorsPerFile, "tensors", "one file"},
      {"safetensors.max_rank", kMaxTensorRank, "dimensions", "one tensor"},
      {"safetensors.max_name_bytes", kMaxTensorNameBytes, "bytes", "one tensor's name"},
      {"pickle.max_bytes", kMaxPickleBytes, "bytes", "the pickle of a torch.save archive"},
      {"pickle.max_values", kMaxPickleValues, "values", "one pickle"},
      {"pickle.max_members", kMaxZipMembers, "members", "one archive"},
  };
}

}  // namespace

int run_limits(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  describe_command(app, "limits",
                   "The limits in force. What is over one is refused with an error that names it.",
                   {"tarsier limits", "tarsier limits --json"});
  add_output_flags(app, output);
  if (!parse_arguments(app, arguments)) return kExitOk;

  std::string text;
  nlohmann::ordered_json json;
  for (const Limit& limit : limits_in_force()) {
    std::visit(
        [&](auto value) {
          json[limit.name] = value;
          text +=
              fmt::format("{:<42} {:>12} {:<10}  {}\n", limit.name, value, limit.unit, limit.of);
        },
        limit.value);
  }
  print_answer(output.json ? json.dump() + "\n" : text);
  return kExitOk;
}

}  // namespace tarsier
