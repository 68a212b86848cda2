#pragma once

#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// ConfigError unless every stage's micro-batches can be dealt out evenly to `ranks` ranks.
void check_shares(const Recipe& recipe, std::int64_t ranks);

/// ConfigError, on every rank, unless all have the same recipe, the same limit of bad samples and
/// the same type of numbers.
void check_same_recipe(Communicator& world, const Recipe& recipe);

}  // namespace tarsier
