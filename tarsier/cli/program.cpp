#include "tarsier/cli/program.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/failure.h"
#include "tarsier/cli/nearest.h"
#include "tarsier/cli/signals.h"

namespace tarsier {
namespace {

struct Chosen {
  const Command* command;
  Arguments rest;
};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The command whose name the arguments begin with: one word, or two ("train sft").
std::optional<Chosen> find_command(Arguments arguments) {
  for (const Command& command : commands()) {
    const auto space = command.name.find(' ');
    if (space == std::string_view::npos) {
      if (arguments[0] == command.name) return Chosen{&command, arguments.subspan(1)};
    } else if (arguments.size() >= 2 && arguments[0] == command.name.substr(0, space) &&
               arguments[1] == command.name.substr(space + 1)) {
      return Chosen{&command, arguments.subspan(2)};
    }
  }
  return std::nullopt;
}

// The commands of two words that begin with `group`.
std::vector<const Command*> members_of(std::string_view group) {
  std::vector<const Command*> members;
  for (const Command& command : commands()) {
    if (command.name.starts_with(fmt::format("{} ", group))) members.push_back(&command);
  }
  return members;
}

std::string list_of(std::span<const Command* const> listed) {
  std::size_t width = 0;
  for (const Command* command : listed) width = std::max(width, command->name.size());
  std::string text;
  for (const Command* command : listed) {
    text += fmt::format("  {:<{}}  {}\n", command->name, width, command->summary);
  }
  return text;
}

std::string program_help() {
  std::vector<const Command*> all;
  for (const Command& command : commands()) all.push_back(&command);
  return fmt::format(
      "usage: tarsier <command> [arguments]\n\n"
      "commands:\n{}\n"
      "`tarsier <command> --help` tells more, with examples. The answer alone goes to standard "
      "output.\n"
      "Exit codes: 0 done, 2 usage, 3 some rows failed, 4 model, 5 input, 6 memory or disk, 70 a "
      "bug "
      "of ours.\n",
      list_of(all));
}

[[noreturn]] void refuse_command(Arguments arguments) {
  std::string word = arguments[0];
  std::vector<std::string> names;
  const auto members = members_of(word);
  if (!members.empty()) {
    for (const Command* command : members) names.emplace_back(command->name);
    if (arguments.size() < 2) {
      throw ConfigError({word, "not a whole command",
                         "the commands are " + fmt::format("{}", fmt::join(names, ", "))});
    }
    word += " " + arguments[1];
  } else {
    for (const Command& command : commands()) names.emplace_back(command.name);
  }
  const auto meant = nearest(word, names);
  throw ConfigError({word, word.starts_with('-') ? "not an option of `tarsier`" : "no such command",
                     meant ? "did you mean `tarsier " + *meant + "`?" : "see `tarsier --help`"});
}

int dispatch(const CommandContext& context, Arguments arguments) {
  if (arguments.empty() || is_one_of(arguments[0], {"-h", "--help"}) ||
      (arguments[0] == "help" && arguments.size() == 1)) {
    print_answer(program_help());
    return kExitOk;
  }
  if (arguments[0] == "--version") return run_version(context, arguments.subspan(1));
  std::vector<std::string> turned;  // "help inspect" is "inspect --help"
  if (arguments[0] == "help") {
    turned.assign(arguments.begin() + 1, arguments.end());
    turned.emplace_back("--help");
    arguments = turned;
  }
  if (const auto chosen = find_command(arguments))
    return chosen->command->run(context, chosen->rest);
  const auto members = members_of(arguments[0]);
  if (!members.empty() && arguments.size() >= 2 && is_one_of(arguments[1], {"-h", "--help"})) {
    print_answer(fmt::format("usage: tarsier {} <command> [arguments]\n\ncommands:\n{}",
                             arguments[0], list_of(members)));
    return kExitOk;
  }
  refuse_command(arguments);
}

int report(const std::exception_ptr& error) noexcept {
  const Failure failure = failure_of(error);
  std::fprintf(stderr, "%s\n", failure.line.c_str());
  return failure.exit_code;
}

// A termination that the command can go on from is "try again", and a state that could not be saved
// is told as that; any other command that was stopped tells the signal.
int exit_code_after(int signal, int exit_code) {
  const bool resumable = exit_code == kExitTryAgain && signal == SIGTERM;
  return resumable || exit_code == kExitResource ? exit_code : kExitSignal + signal;
}

}  // namespace

int run_program(Arguments arguments) noexcept {
  int exit_code = kExitOk;
  try {
    const StopOnSignal signals;
    try {
      exit_code = dispatch({signals.token()}, arguments);
    } catch (...) {
      exit_code = report(std::current_exception());
    }
    if (signals.signal() != 0) exit_code = exit_code_after(signals.signal(), exit_code);
  } catch (...) {
    exit_code = report(std::current_exception());
  }
  return exit_code;
}

}  // namespace tarsier
