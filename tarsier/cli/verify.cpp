#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"

namespace tarsier {
namespace {

struct Findings {
  std::int64_t files = 0, tensors = 0, bytes = 0;  // of weights
  bool has_manifest = false;                       // then every file's SHA-256 was compared
  std::vector<ErrorNote> problems;
};

void open_weights(const std::filesystem::path& path, Findings& findings) {
  if (std::filesystem::is_directory(path)) {
    const Checkpoint checkpoint = Checkpoint::open(path);
    findings.files = static_cast<std::int64_t>(checkpoint.files().size());
    findings.tensors = static_cast<std::int64_t>(checkpoint.tensors().size());
    findings.bytes = checkpoint.total_bytes();
    return;
  }
  const SafetensorsFile file(path);
  findings.files = 1;
  findings.tensors = static_cast<std::int64_t>(file.tensors().size());
  for (const auto& [name, tensor] : file.tensors())
    findings.bytes += static_cast<std::int64_t>(tensor.bytes.size());
}

Findings examine(const std::filesystem::path& path) {
  Findings findings;
  if (std::filesystem::exists(path / kManifestName)) {
    findings.has_manifest = true;
    findings.problems = verify_directory(path);
  }
  try {
    open_weights(path, findings);
  } catch (const CheckpointError& error) {
    findings.problems.push_back(error.note);
  }
  return findings;
}

std::string as_json(const Findings& findings) {
  nlohmann::ordered_json json = {
      {"ok", findings.problems.empty()},   {"files", findings.files},
      {"tensors", findings.tensors},       {"bytes", findings.bytes},
      {"manifest", findings.has_manifest}, {"problems", nlohmann::ordered_json::array()}};
  for (const ErrorNote& note : findings.problems) {
    json["problems"].push_back({{"where", note.where}, {"what", note.what}, {"hint", note.hint}});
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_verify(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  std::string path;
  describe_command(app, "verify",
                   "Check that a model directory is whole: its manifest's SHA-256 of every file, "
                   "and the structure of "
                   "its safetensors files.",
                   {"tarsier verify assets/tarsier-nano",
                    "tarsier verify model-00001-of-00004.safetensors --json"});
  add_output_flags(app, output);
  app.add_option("PATH", path, "Model directory, or one safetensors file")->required();
  if (!parse_arguments(app, arguments)) return kExitOk;
  if (!std::filesystem::exists(path)) {
    throw CheckpointError(
        {path, "no such file or directory", "pass a model directory or a safetensors file"});
  }

  const Findings findings = examine(path);
  for (const ErrorNote& note : findings.problems) std::fprintf(stderr, "%s\n", note.text().c_str());
  if (output.json) {
    print_answer(as_json(findings));
  } else if (findings.problems.empty()) {
    print_answer(fmt::format("{}: whole: {} tensor{}, {} bytes of weights in {} file{}; {}\n", path,
                             findings.tensors, findings.tensors == 1 ? "" : "s", findings.bytes,
                             findings.files, findings.files == 1 ? "" : "s",
                             findings.has_manifest
                                 ? "every file has the SHA-256 of manifest.json"
                                 : "no manifest.json, so only the structure was checked"));
  }
  return findings.problems.empty() ? kExitOk : kExitCheckpoint;
}

}  // namespace tarsier
