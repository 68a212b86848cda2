#pragma once

namespace tarsier::test {

/// Reliability T1: a training of `steps` steps, killed (SIGKILL) `kills` times, half of them while
/// it saves. Checks after each that the newest whole checkpoint is found, that no other is damaged
/// and that at most one interval is lost; at the end that nothing differs from an unbroken run.
void expect_killed_training_goes_on(int kills, int steps);

}  // namespace tarsier::test
