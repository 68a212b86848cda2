#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tarsier/tensor/device.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

template <class Type>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Type& error) {
    return error.what();
  }
  return "no error";
}

TEST(Device, ParsesNamesAndRefusesOthers) {
  EXPECT_EQ(parse_device("cpu"), at::Device(at::kCPU));
  EXPECT_EQ(message_of<ConfigError>([] { parse_device("gpu"); }),
            "--device: 'gpu' is not a device; use cpu, cuda or cuda:N");
  EXPECT_NE(message_of<ConfigError>([] { parse_device("cuda:x"); }).find("is not a device"),
            std::string::npos);
  const std::string without = message_of<ConfigError>([] { parse_device("cuda:999"); });
  EXPECT_TRUE(without.starts_with("--device: 'cuda:999' needs CUDA, which is not available (") ||
              without.starts_with("--device: 'cuda:999' is not there: this machine has "))
      << without;
  EXPECT_TRUE(without.ends_with("; use --device cpu") ||
              without.ends_with("; use --device cpu, or a smaller number"))
      << without;
}

TEST(Device, ParsesAndNamesNumberTypes) {
  for (const char* name : {"f32", "bf16", "f16"}) EXPECT_EQ(name_of(parse_dtype(name)), name);
  EXPECT_EQ(message_of<ConfigError>([] { parse_dtype("int8"); }),
            "--dtype: 'int8' is not a number type; use f32, bf16 or f16");
}

TEST(Shape, SaysWhatWasExpected) {
  EXPECT_NO_THROW(expect_shape(at::zeros({3, 1176}), "pixels", {kAny, 1176}));
  EXPECT_NE(message_of<InternalError>([] {
              expect_shape(at::zeros({3, 5}), "pixels", {kAny, 1176});
            }).find("pixels: is [3, 5], expected [*, 1176]"),
            std::string::npos);
  EXPECT_NE(
      message_of<InternalError>([] { expect_shape(Tensor(), "pixels", {1}); }).find("is undefined"),
      std::string::npos);
}

}  // namespace
}  // namespace tarsier
