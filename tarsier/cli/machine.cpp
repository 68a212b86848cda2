#include "tarsier/cli/machine.h"

#include <linux/landlock.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tarsier {
namespace {

constexpr const char* kUsefulFeatures[] = {"avx2",        "fma",         "f16c",     "avx512f",
                                           "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8"};

// The value of the first line "key : value" or "key=value" of a file of the kernel's.
std::string value_in(const char* file, std::string_view key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto split = line.find(separator);
    if (split == std::string::npos || !line.starts_with(key)) continue;
    if (line.find_first_not_of(" \t", key.size()) != split) continue;
    const auto begin = line.find_first_not_of(" \t\"", split + 1);
    if (begin == std::string::npos) return {};
    return line.substr(begin, line.find_last_not_of(" \t\"") - begin + 1);
  }
  return {};
}

std::optional<std::int64_t> number_in(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::int64_t meminfo_bytes(std::string_view key) {
  return number_in(value_in("/proc/meminfo", key, ':')).value_or(0) * 1024;
}

std::optional<std::int64_t> control_group_limit() {
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(file);
    std::string text;
    if (!(in >> text)) continue;
    const auto limit = number_in(text);
    if (limit && *limit < (std::int64_t{1} << 60))
      return limit;  // "max", or version 1's huge number: no limit
  }
  return std::nullopt;
}

std::string system_name() {
  utsname names{};
  uname(&names);
  std::string system = value_in("/etc/os-release", "PRETTY_NAME", '=');
  if (!system.empty()) system += ", ";
  return system + names.sysname + " " + names.release;
}

}  // namespace

Machine read_machine() {
  Machine machine;
  machine.system = system_name();
  machine.cpu = value_in("/proc/cpuinfo", "model name", ':');
  if (machine.cpu.empty()) machine.cpu = "unknown";
  const std::string flags = " " + value_in("/proc/cpuinfo", "flags", ':') + " ";
  for (const char* feature : kUsefulFeatures) {
    if (flags.find(" " + std::string(feature) + " ") != std::string::npos)
      machine.cpu_features.emplace_back(feature);
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) machine.cores = CPU_COUNT(&cores);
  machine.memory_bytes = meminfo_bytes("MemTotal");
  machine.available_bytes = meminfo_bytes("MemAvailable");
  machine.memory_limit_bytes = control_group_limit();
  const long landlock =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (landlock > 0) machine.landlock_version = static_cast<int>(landlock);
  machine.has_seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
  return machine;
}

std::optional<std::int64_t> free_bytes(const std::string& path) {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::absolute(path, error);
  while (!error && !std::filesystem::exists(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  const auto space = std::filesystem::space(folder, error);
  if (error) return std::nullopt;
  return static_cast<std::int64_t>(space.available);
}

}  // namespace tarsier
