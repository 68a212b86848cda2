#pragma once

#include <string>

namespace tarsier {

/// What this program was built from and runs with.
struct BuildInfo {
  std::string version;   // "0.1.0"
  std::string commit;    // 12 hexadecimal digits, or "unknown" outside a git checkout
  std::string compiler;  // "GCC 12.2.0"
  std::string libtorch;  // "2.11.0"
  std::string ffmpeg;    // of the shared libraries loaded now
};

BuildInfo build_info();

}  // namespace tarsier
