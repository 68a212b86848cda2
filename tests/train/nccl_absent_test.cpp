#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"

namespace tarsier {
namespace {

TEST(Nccl, ABuildWithoutItSaysHowToGetIt) {
  const Launch launch{0, 2, 0, "127.0.0.1", 29500};
  try {
    join_ranks(launch, at::kCUDA, std::chrono::seconds(1));
    FAIL() << "there is no NCCL";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()),
              "ranks: on GPUs need NCCL, which this program was built without; configure with "
              "-DTARSIER_NCCL=ON, or train on CPUs");
  }
}

}  // namespace
}  // namespace tarsier
