#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/cli/command.h"

namespace CLI {
class App;
}

namespace tarsier {

/// Flags of every command. -q and -v act on the log as they are parsed.
struct OutputFlags {
  bool json = false;  // print one JSON object in place of text
};

/// Flags of every command that runs a model.
struct ModelFlags {
  std::string model;           // a directory; empty = the default model (default_model.h)
  std::string device = "cpu";  // for parse_device
  std::string dtype;           // for parse_dtype; empty = as the checkpoint is stored
  std::string adapter;         // a LoRA adapter's directory; empty = none
  int threads = 0;             // 0 = one for each core this process may use
};

/// Names the command in its help and its errors. Examples come first in the help, as they are
/// typed.
void describe_command(CLI::App& app, std::string_view name, std::string_view summary,
                      std::initializer_list<std::string_view> examples);

void add_output_flags(CLI::App& app, OutputFlags& flags);
void add_model_flags(CLI::App& app, ModelFlags& flags);

/// Parses the words after the command's name. False when they asked for help, which is then
/// printed: return kExitOk. Throws ConfigError naming the flag, with the near one as a hint when it
/// is not known.
[[nodiscard]] bool parse_arguments(CLI::App& app, Arguments arguments);

/// The parts of "A,B,C"; none of an empty text. Parts may be empty.
std::vector<std::string> list_of(std::string_view text);

/// Writes an answer to standard output. Throws ResourceError when it cannot be written (disk full).
void print_answer(std::string_view text);

}  // namespace tarsier
