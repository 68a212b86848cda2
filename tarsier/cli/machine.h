#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tarsier {

/// The machine as the kernel shows it to this process.
struct Machine {
  std::string system;  // "Debian GNU/Linux 12 (bookworm), Linux 6.1.0"
  std::string cpu;     // "AMD EPYC 9654"; "unknown" where the kernel does not say
  std::vector<std::string> cpu_features;  // those our arithmetic can use, of the ones the CPU has
  std::int64_t cores = 0;                 // this process may run on
  std::int64_t memory_bytes = 0;
  std::int64_t available_bytes = 0;
  std::optional<std::int64_t> memory_limit_bytes;  // of the control group
  std::optional<int> landlock_version;             // nullopt when the kernel lacks it
  bool has_seccomp = false;
};

Machine read_machine();

/// Bytes free to this user on the disk that holds `path`, or its nearest parent that exists;
/// nullopt when unknown.
std::optional<std::int64_t> free_bytes(const std::string& path);

}  // namespace tarsier
