#include "tarsier/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/nearest.h"

namespace tarsier {
namespace {

std::string see_help(const CLI::App& app) { return fmt::format("see `{} --help`", app.get_name()); }

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

[[noreturn]] void refuse_extra(const CLI::App& app, const std::string& word) {
  if (!word.starts_with('-') || word == "-") {
    throw ConfigError({word, "one argument too many for `" + app.get_name() + "`", see_help(app)});
  }
  const std::string flag = word.substr(0, word.find('='));
  const auto meant = nearest(flag, flag_names(app));
  throw ConfigError({flag, "not an option of `" + app.get_name() + "`",
                     meant ? "did you mean " + *meant + "?" : see_help(app)});
}

// CLI11's messages name the flag at the start ("--frames: Value 0 not in range"), at the end
// ("Could not convert:
// --frames = x"), or only in the sentence ("MEDIA is required").
ErrorNote note_of(const CLI::App& app, const CLI::ParseError& error) {
  const std::string message = error.what();
  const std::string convert = "Could not convert: ";
  if (message.starts_with(convert)) {
    const auto equals = message.find(" = ");
    if (equals != std::string::npos) {
      return {message.substr(convert.size(), equals - convert.size()),
              "cannot take '" + message.substr(equals + 3) + "'", see_help(app)};
    }
  }
  const std::string required = " is required";
  if (message.ends_with(required)) {
    return {message.substr(0, message.size() - required.size()), "missing", see_help(app)};
  }
  const auto colon = message.find(": ");
  if (colon == std::string::npos) return {app.get_name(), message, see_help(app)};
  return {message.substr(0, colon), message.substr(colon + 2), see_help(app)};
}

}  // namespace

void describe_command(CLI::App& app, std::string_view name, std::string_view summary,
                      std::initializer_list<std::string_view> examples) {
  app.name(fmt::format("tarsier {}", name));
  std::string text(summary);
  if (examples.size() > 0) text += "\n\nExamples:";
  for (const std::string_view example : examples) text += fmt::format("\n  {}", example);
  app.description(text + "\n");
  app.set_help_flag("-h,--help", "Print this help");
  app.allow_extras();  // parse_arguments refuses them itself, with a better message
  app.get_formatter()->column_width(32);
}

void add_output_flags(CLI::App& app, OutputFlags& flags) {
  app.add_flag("--json", flags.json, "Print one JSON object");
  app.add_flag_callback(
      "-q,--quiet", [] { set_log_level(LogLevel::warning); }, "Only warnings and errors on stderr");
  app.add_flag_callback(
      "-v,--verbose", [] { set_log_level(LogLevel::debug); }, "More on stderr");
}

void add_model_flags(CLI::App& app, ModelFlags& flags) {
  app.add_option("--model", flags.model,
                 "Model directory; without it, the model that comes with tarsier")
      ->type_name("DIR");
  app.add_option("--adapter", flags.adapter,
                 "A LoRA adapter in PEFT's layout to use on the model, kept apart from its weights")
      ->type_name("DIR");
  app.add_option("--device", flags.device, "cpu, cuda or cuda:N")->type_name("DEVICE");
  app.add_option(
         "--dtype", flags.dtype,
         "f32, bf16 or f16; without it, f32 where it takes at most half the memory, else as stored")
      ->type_name("TYPE");
  app.add_option("--threads", flags.threads,
                 "Threads for arithmetic; without it, one for each core")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
}

bool parse_arguments(CLI::App& app, Arguments arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    print_answer(app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    // A misspelt flag often leaves another one missing; the misspelling is what to mend.
    for (const std::string& word : app.remaining()) refuse_extra(app, word);
    throw ConfigError(note_of(app, error));
  }
  for (const std::string& word : app.remaining()) refuse_extra(app, word);
  return true;
}

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end + 1 == text.size()) parts.emplace_back();  // "a," has an empty second part
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

void print_answer(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw ResourceError({"standard output", "cannot be written", "is the disk full?"});
  }
}

}  // namespace tarsier
