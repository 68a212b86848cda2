#pragma once

#include <string>
#include <string_view>

namespace tarsier {

/// Unicode normal form C of UTF-8 text, in time n log n even for long runs of combining marks.
std::string to_nfc(std::string_view utf8);

}  // namespace tarsier
