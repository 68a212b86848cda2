#include "tarsier/tensor/device.h"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// libtorch finds a GPU through a library of its own, which needs CUDA's: it is loaded where it is
// asked for, so that a machine without a GPU needs neither. Before the first question: the answer
// is kept.
bool has_cuda() {
  static const bool found =
      ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr && at::hasCUDA();
  return found;
}

}  // namespace

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
  const at::Device device(at::kCUDA, static_cast<at::DeviceIndex>(std::stoi(std::string(index))));
  if (!has_cuda()) {
    throw ConfigError({"--device", fmt::format("'{}' needs CUDA, which is not available", text),
                       "use --device cpu"});
  }
  const c10::impl::VirtualGuardImpl guard(at::kCUDA);
  if (device.index() >= guard.deviceCount()) {
    throw ConfigError(
        {"--device",
         fmt::format("'{}' is not there: this machine has {} GPUs", text, guard.deviceCount()),
         "use --device cpu, or a smaller number"});
  }
  return device;
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
