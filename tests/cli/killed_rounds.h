#pragma once

#include <functional>
#include <string>

#include "tests/cli/run_tarsier.h"

namespace tarsier::test {

/// `train mrdpo` on a few clips of the world, killed (SIGKILL) `kills` times: `wait` is called with
/// the number of a kill, the running program, the folder of the run and the seconds that an
/// unbroken one takes, and returns when it is time. Checks that the last command leaves the weights
/// and lineage of the unbroken run, and that `inspect` lists them, and that
/// at least half of the kills met a program at work.
using WaitForKill = std::function<void(int kill, RunningTarsier& program,
                                       const std::filesystem::path& run, double seconds)>;
void expect_killed_rounds_go_on(int rounds, int kills, const WaitForKill& wait);

}  // namespace tarsier::test
