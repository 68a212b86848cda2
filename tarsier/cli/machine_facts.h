#pragma once

#include "tarsier/train/run_facts.h"

namespace tarsier {

/// This build and this machine, for a run's machine.json.
Facts machine_facts();

}  // namespace tarsier
