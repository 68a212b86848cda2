#include "tarsier/train/distributed/agreement.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/data_parallel.h"

namespace tarsier {
namespace {

constexpr std::size_t kTextBytes = 256;

}  // namespace

void check_shares(const Recipe& recipe, std::int64_t ranks) {
  for (const Stage& stage : recipe.stages) {
    if (stage.accumulate % ranks == 0) continue;
    throw ConfigError(
        {fmt::format("stage {}: accumulate", stage.name),
         fmt::format("is {}, which {} ranks cannot share evenly", stage.accumulate, ranks),
         fmt::format("use a multiple of {}, or another number of ranks; clips_per_step "
                     "times accumulate stays the step's clips",
                     ranks)});
  }
}

void check_same_recipe(Communicator& world, const Recipe& recipe) {
  std::string mine = fmt::format("{} {}", recipe.hash, recipe.max_bad);
  check(mine.size() <= kTextBytes, "what ranks compare is short");
  mine.resize(kTextBytes, ' ');
  std::string first = mine;
  Tensor bytes = at::from_blob(first.data(), {static_cast<std::int64_t>(kTextBytes)}, at::kByte);
  world.broadcast_(bytes, 0);
  if (any(world, first != mine))
    throw ConfigError({"recipe", "is not the same on every rank, or --max-bad is not",
                       "start every rank with the same command"});
}

ComputeChoice agree_on(Communicator& world, const ComputeChoice& choice) {
  std::array<std::int64_t, 2> types{static_cast<std::int64_t>(choice.type),
                                    static_cast<std::int64_t>(choice.products)};
  Tensor tensor = at::from_blob(types.data(), {2}, at::kLong);
  world.broadcast_(tensor, 0);
  return {static_cast<at::ScalarType>(types[0]),
          world.rank() == 0 ? choice.reason : "as rank 0 computes",
          static_cast<LinearProducts>(types[1])};
}

}  // namespace tarsier
