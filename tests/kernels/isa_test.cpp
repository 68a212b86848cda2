#include "tarsier/kernels/isa.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

TEST(IsaTest, DetectedSetHasAName) { EXPECT_FALSE(to_string(detected_isa()).empty()); }

TEST(IsaTest, NamesAreThoseOfTheNamespaces) {
  EXPECT_EQ(to_string(Isa::portable), "portable");
  EXPECT_EQ(to_string(Isa::avx2), "avx2");
  EXPECT_EQ(to_string(Isa::avx512), "avx512");
}

}  // namespace
}  // namespace tarsier
