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
// is kept. Returns why there is no CUDA; "" where there is.
const std::string& missing_cuda() {
  static const std::string reason = [] {
    if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      const char* error = ::dlerror();
      return std::string(error == nullptr ? "libtorch_cuda.so cannot be loaded" : error);
    }
    return std::string(at::hasCUDA() ? "" : "no GPU found");
  }();
  return reason;
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
  if (!missing_cuda().empty()) {
    throw ConfigError(
        {"--device",
         fmt::format("'{}' needs CUDA, which is not available ({})", text, missing_cuda()),
         "use --device cpu"});
  }
  const int number = std::stoi(std::string(index));
  const int count = c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount();
  if (number >= count) {
    throw ConfigError({"--device",
                       fmt::format("'{}' is not there: this machine has {} GPUs", text, count),
                       "use --device cpu, or a smaller number"});
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(number));
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
