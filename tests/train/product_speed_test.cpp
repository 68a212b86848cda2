#include "tarsier/train/product_speed.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

// Wide bounds, for any machine: what they catch is a wrong count or unit.
void expect_plausible(double flops_per_second) {
  EXPECT_GT(flops_per_second, 1e7);
  EXPECT_LT(flops_per_second, 1e17);
}

TEST(ProductSpeed, IsMeasuredInFlopsASecond) {
  Workers alone(1), pair(2);
  for (Workers* workers : {&alone, &pair}) {
    expect_plausible(peak_speed(at::kFloat, *workers));
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
      expect_plausible(linear_speed(type, 64, 48, 80, *workers));
  }
}

}  // namespace
}  // namespace tarsier
