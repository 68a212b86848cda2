#pragma once

#include <exception>
#include <string>

namespace tarsier {

/// What a failure becomes at the edge of the program: one line for stderr, and an ExitCode.
struct Failure {
  std::string line;  // "where: what; hint", without a newline
  int exit_code;
};

/// Ours by type; bad_alloc, a failed allocation of libtorch and a refusing file system are
/// resources (6); everything else is a bug of ours (70). Never throws.
Failure failure_of(const std::exception_ptr& error) noexcept;

}  // namespace tarsier
