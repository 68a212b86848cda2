#pragma once

#include <string>
#include <string_view>

namespace tarsier {

/// Strict UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text);

/// A name of an untrusted file as messages show it: at most 128 bytes.
std::string shown_name(std::string_view name);

}  // namespace tarsier
