#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/default_model.h"
#include "tarsier/cli/machine.h"
#include "tarsier/cli/version.h"

namespace tarsier {
namespace {

std::string gib(std::int64_t bytes) {
  return fmt::format("{:.1f} GiB",
                     static_cast<double>(bytes) / static_cast<double>(std::int64_t{1} << 30));
}

std::string environment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets the environment
  return value == nullptr ? std::string() : std::string(value);
}

// Where the sources and libtorch were put by ./run, and where scratch files go.
std::vector<std::pair<std::string, std::string>> folders() {
  std::string cache = environment("XDG_CACHE_HOME");
  if (cache.empty()) cache = environment("HOME") + "/.cache";
  std::string temporary = environment("TMPDIR");
  if (temporary.empty()) temporary = "/tmp";
  return {{"cache", cache + "/tarsier.cpp"}, {"temporary", temporary}};
}

std::string state_of(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) return "absent";
  const auto problems = verify_directory(directory);
  return problems.empty() ? "whole" : "damaged: " + problems.front().text();
}

nlohmann::ordered_json findings() {
  const BuildInfo build = build_info();
  const Machine machine = read_machine();
  nlohmann::ordered_json json = {
      {"tarsier", fmt::format("{} ({})", build.version, build.commit)},
      {"compiler", build.compiler},
      {"libtorch", build.libtorch},
      {"ffmpeg", build.ffmpeg},
      {"system", machine.system},
      {"cpu", machine.cpu},
      {"cpu_features", machine.cpu_features},
      {"cores", machine.cores},
      {"memory_bytes", machine.memory_bytes},
      {"available_bytes", machine.available_bytes},
      {"memory_limit_bytes", nullptr},
      {"landlock", nullptr},
      {"seccomp", machine.has_seccomp},
      {"decoder_sandbox", "none"},
      {"default_model", state_of(default_model_directory())},
      {"default_hearing_model", state_of(default_hearing_model_directory())},
  };
  if (machine.memory_limit_bytes) json["memory_limit_bytes"] = *machine.memory_limit_bytes;
  if (machine.landlock_version) json["landlock"] = *machine.landlock_version;
  for (const auto& [name, path] : folders()) {
    std::error_code ignored;
    const auto free = free_bytes(path);
    nlohmann::ordered_json folder = {{"path", path},
                                     {"exists", std::filesystem::exists(path, ignored)}};
    folder["free_bytes"] = free ? nlohmann::ordered_json(*free) : nlohmann::ordered_json(nullptr);
    json["folders"][name] = std::move(folder);
  }
  return json;
}

std::string as_text(const nlohmann::ordered_json& json) {
  std::string text;
  const auto row = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{:<16} {}\n", name, value);
  };
  for (const char* name : {"tarsier", "compiler", "libtorch", "ffmpeg", "system", "cpu"}) {
    row(name, json[name].get<std::string>());
  }
  row("cpu features",
      fmt::format("{}", fmt::join(json["cpu_features"].get<std::vector<std::string>>(), " ")));
  row("cores", fmt::format("{}", json["cores"].get<std::int64_t>()));
  std::string memory =
      fmt::format("{}, {} available", gib(json["memory_bytes"].get<std::int64_t>()),
                  gib(json["available_bytes"].get<std::int64_t>()));
  if (!json["memory_limit_bytes"].is_null()) {
    memory += fmt::format(", limited to {}", gib(json["memory_limit_bytes"].get<std::int64_t>()));
  }
  row("memory", memory);
  const auto& landlock = json["landlock"];
  row("kernel sandbox",
      fmt::format("landlock {}, seccomp {}",
                  landlock.is_null() ? "absent" : fmt::format("version {}", landlock.get<int>()),
                  json["seccomp"].get<bool>() ? "present" : "absent"));
  row("decoder sandbox", "none: FFmpeg runs inside tarsier, with allow-lists and limits");
  row("default model", json["default_model"].get<std::string>());
  row("for sound", json["default_hearing_model"].get<std::string>());
  for (const auto& [name, folder] : json["folders"].items()) {
    const auto& free = folder["free_bytes"];
    row(name + " folder",
        fmt::format("{}{}{}", folder["path"].get<std::string>(),
                    folder["exists"].get<bool>() ? "" : " (not there yet)",
                    free.is_null() ? "" : ", " + gib(free.get<std::int64_t>()) + " free"));
  }
  return text;
}

}  // namespace

int run_doctor(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  describe_command(app, "doctor", "Versions, machine and folders: paste it into a bug report.",
                   {"tarsier doctor", "tarsier doctor --json"});
  add_output_flags(app, output);
  if (!parse_arguments(app, arguments)) return kExitOk;
  const nlohmann::ordered_json json = findings();
  print_answer(output.json ? json.dump() + "\n" : as_text(json));
  return kExitOk;
}

}  // namespace tarsier
