#include "tarsier/text/lower_case.h"

#include <utf8proc.h>

#include "tarsier/text/utf8.h"

namespace tarsier {

std::string to_lower_case(std::string_view utf8) {
  std::string text;
  text.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint c = code_point_at(utf8, at);
    at += c.bytes;
    append_utf8(text,
                static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.value))));
  }
  return text;
}

}  // namespace tarsier
