#include <csignal>
#include <string>
#include <vector>

#include "tarsier/cli/program.h"

int main(int count, char** words) {
  // A file over the size limit is an error of the write that meets it, with its message, not the
  // end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  return tarsier::run_program(arguments);
}
