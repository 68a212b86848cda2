#include <string>
#include <vector>

#include "tarsier/cli/program.h"

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  return tarsier::run_program(arguments);
}
