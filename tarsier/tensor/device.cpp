#include "tarsier/tensor/device.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {

at::Device parse_device(std::string_view text) {
  if (text == "cpu") return at::Device(at::kCPU);
  std::string_view index = "0";
  if (text.starts_with("cuda:")) index = text.substr(5);
  const bool digits = !index.empty() && index.size() < 4 &&
                      index.find_first_not_of("0123456789") == std::string_view::npos;
  if ((text != "cuda" && !text.starts_with("cuda:")) || !digits) {
    throw ConfigError(
        {"--device", fmt::format("'{}' is not a device", text), "use cpu, cuda or cuda:N"});
  }
  if (!at::hasCUDA()) {
    throw ConfigError({"--device", fmt::format("'{}' needs CUDA, which is not available", text),
                       "use --device cpu"});
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(std::stoi(std::string(index))));
}

at::ScalarType parse_dtype(std::string_view text) {
  if (text == "f32") return at::kFloat;
  if (text == "bf16") return at::kBFloat16;
  if (text == "f16") return at::kHalf;
  throw ConfigError(
      {"--dtype", fmt::format("'{}' is not a number type", text), "use f32, bf16 or f16"});
}

std::string name_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return "f32";
    case at::kBFloat16:
      return "bf16";
    case at::kHalf:
      return "f16";
    default:
      return at::toString(dtype);
  }
}

}  // namespace tarsier
