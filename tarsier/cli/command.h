#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace tarsier {

/// What the program tells its caller; the whole list, as in the README.
enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 2,            // a flag or a recipe
  kExitSomeFailed = 3,       // some items of a bulk job failed; the others are there
  kExitCheckpoint = 4,       // a model directory
  kExitInput = 5,            // media or other input
  kExitResource = 6,         // memory, disk, device
  kExitTrainingStopped = 7,  // the loss stayed non-finite
  kExitBug = 70,
  kExitTryAgain = 75,
  kExitSignal = 128,  // plus the signal's number: 130 for Ctrl-C
};

/// The words after the command's name.
using Arguments = std::span<const std::string>;

/// What a command uses of the process around it.
struct CommandContext {
  std::stop_token stop;  // requested by Ctrl-C or SIGTERM: leave a whole state and return soon
};

/// Runs a command: answers on standard output, everything else through the log. Returns an
/// ExitCode; failures are thrown and become one line and an exit code in program.cpp.
using CommandFunction = int(const CommandContext& context, Arguments arguments);

/// One row of the table in commands.cpp. Every command parses its own arguments, `--help` included.
struct Command {
  std::string_view name;     // one word, or two as in "train sft"
  std::string_view summary;  // one line of `tarsier --help`
  CommandFunction* run;
};

}  // namespace tarsier
