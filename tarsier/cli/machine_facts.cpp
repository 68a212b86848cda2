#include "tarsier/cli/machine_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tarsier/cli/machine.h"
#include "tarsier/cli/version.h"

namespace tarsier {

Facts machine_facts() {
  const BuildInfo build = build_info();
  const Machine machine = read_machine();
  return {{"tarsier", fmt::format("{} ({})", build.version, build.commit)},
          {"compiler", build.compiler},
          {"libtorch", build.libtorch},
          {"system", machine.system},
          {"cpu", machine.cpu},
          {"cpu features", fmt::format("{}", fmt::join(machine.cpu_features, " "))},
          {"cores", std::to_string(machine.cores)},
          {"memory", fmt::format("{:.1f} GiB", static_cast<double>(machine.memory_bytes) /
                                                   static_cast<double>(std::int64_t{1} << 30))}};
}

}  // namespace tarsier
