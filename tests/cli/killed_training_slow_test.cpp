#include <gtest/gtest.h>

#include "tests/cli/killed_training.h"

namespace tarsier {
namespace {

TEST(KilledTrainingSlow, ThirtyTimes) { test::expect_killed_training_goes_on(30, 200); }

}  // namespace
}  // namespace tarsier
