#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tarsier/engine/sampling.h"

namespace CLI {
class App;
}

namespace tarsier {

/// --max-new-tokens, --temperature, --top-p, --top-k, --repetition-penalty, --seed and --stop.
/// check_sampling() refuses what cannot be honoured.
void add_sampling_flags(CLI::App& app, SamplingParams& params);

}  // namespace tarsier
