#pragma once

#include "tarsier/train/compute_choice.h"
#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// ConfigError unless every stage's micro-batches can be dealt out evenly to `ranks` ranks.
void check_shares(const Recipe& recipe, std::int64_t ranks);

/// ConfigError, on every rank, unless all have the same recipe and the same limit of bad samples.
void check_same_recipe(Communicator& world, const Recipe& recipe);

/// How rank 0 computes, for every rank.
ComputeChoice agree_on(Communicator& world, const ComputeChoice& choice);

}  // namespace tarsier
