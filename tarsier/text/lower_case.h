#pragma once

#include <string>
#include <string_view>

namespace tarsier {

/// UTF-8 text with each character in lower case by Unicode's simple mapping. Python's `lower` of
/// the same, but for U+0130 and a sigma that ends a word.
std::string to_lower_case(std::string_view utf8);

}  // namespace tarsier
