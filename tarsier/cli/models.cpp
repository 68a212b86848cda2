#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tarsier/base/json.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/default_model.h"
#include "tarsier/models/capabilities.h"

namespace tarsier {
namespace {

nlohmann::ordered_json families() {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Capabilities& each : capabilities()) {
    nlohmann::ordered_json modalities = nlohmann::ordered_json::array({"text"});
    if (each.images) modalities.push_back("image");
    if (each.videos) modalities.push_back("video");
    if (each.sound) modalities.push_back("audio");
    nlohmann::ordered_json languages = nlohmann::ordered_json::array();
    for (std::size_t at = 0; at < each.languages.size(); at += 3)
      languages.push_back(each.languages.substr(at, 2));
    rows.push_back({{"family", each.family},
                    {"title", each.title},
                    {"modalities", std::move(modalities)},
                    {"several_media", each.several},
                    {"grounding", each.grounds},
                    {"languages", std::move(languages)},
                    {"max_frames", each.most_frames}});
  }
  return rows;
}

std::string as_text(const nlohmann::ordered_json& rows) {
  const auto mark = [](bool yes) { return yes ? "yes" : "-"; };
  std::string text =
      fmt::format("{:<18} {:<7} {:<7} {:<7} {:<9} {:<7} {:<12} {}\n", "family", "image", "video",
                  "sound", "several", "times", "languages", "frames at most");
  for (const Capabilities& each : capabilities()) {
    text += fmt::format("{:<18} {:<7} {:<7} {:<7} {:<9} {:<7} {:<12} {}\n", each.title,
                        mark(each.images), mark(each.videos), mark(each.sound), mark(each.several),
                        mark(each.grounds), each.languages,
                        each.most_frames == 0 ? "-" : std::to_string(each.most_frames));
  }
  text += "\n";
  for (const auto& each : rows["here"])
    text += fmt::format("here: {}\n", each["path"].get<std::string>());
  return text;
}

}  // namespace

int run_models(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  describe_command(
      app, "models",
      "What each family of models can see, hear and say, and the models that come with "
      "tarsier. `tarsier inspect DIR` looks at one model.",
      {"tarsier models", "tarsier models --json"});
  add_output_flags(app, output);
  if (!parse_arguments(app, arguments)) return kExitOk;
  nlohmann::ordered_json json{{"families", families()}};
  for (const std::filesystem::path& here :
       {model_directory(""), default_hearing_model_directory()}) {
    if (!here.empty())
      json["here"].push_back({{"name", here.filename().string()}, {"path", here.string()}});
  }
  print_answer(output.json ? json.dump() + "\n" : as_text(json));
  return kExitOk;
}

}  // namespace tarsier
