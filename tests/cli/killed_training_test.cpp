#include "tests/cli/killed_training.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

TEST(KilledTraining, GoesOnAsIfNothingHadHappened) { test::expect_killed_training_goes_on(6, 40); }

}  // namespace
}  // namespace tarsier
