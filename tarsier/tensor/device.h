#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>
#include <string_view>

namespace tarsier {

/// "cpu", "cuda" or "cuda:1". Throws ConfigError naming --device, also for a device this build or
/// machine lacks.
at::Device parse_device(std::string_view text);

/// "f32", "bf16" or "f16". Throws ConfigError naming --dtype.
at::ScalarType parse_dtype(std::string_view text);

/// The reverse of parse_dtype; other types print as ATen names them.
std::string name_of(at::ScalarType dtype);

}  // namespace tarsier
