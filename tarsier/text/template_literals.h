#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tarsier::jinja {

/// A number at the start of `text`; `error` says what is wrong with it, empty when nothing.
struct NumberLiteral {
  std::size_t length = 0;
  bool is_real = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string error;
};
NumberLiteral read_number(std::string_view text);

/// A quoted string at the start of `text`, escapes resolved as Python's "unicode-escape" does.
struct StringLiteral {
  std::size_t length = 0;
  std::string value;
  std::string error;
};
StringLiteral read_string(std::string_view text);

}  // namespace tarsier::jinja
