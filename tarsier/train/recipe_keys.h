#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tarsier/base/json.h"

namespace tarsier {

/// Settings of recipes. Every failure is a ConfigError that names the key and what may stand there.

/// Refuses keys that are none of these.
void expect_keys(const JsonView& json, std::initializer_list<std::string_view> known);

/// A key's number in [low, high]; where the key is absent, `otherwise`.
std::int64_t int_in(const JsonView& json, std::string_view key, std::int64_t otherwise,
                    std::int64_t low, std::int64_t high);
double double_in(const JsonView& json, std::string_view key, double otherwise, double low,
                 double high);

/// A key's string, one of `allowed`; where the key is absent, `otherwise`.
std::string one_of(const JsonView& json, std::string_view key, std::string otherwise,
                   std::initializer_list<std::string_view> allowed);

}  // namespace tarsier
