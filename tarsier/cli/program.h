#pragma once

#include "tarsier/cli/command.h"

namespace tarsier {

/// The whole program but the process: finds the command, runs it, and turns what it throws into one
/// line on stderr. `arguments` are the words after the program's name. Returns the exit code;
/// throws nothing.
int run_program(Arguments arguments) noexcept;

}  // namespace tarsier
