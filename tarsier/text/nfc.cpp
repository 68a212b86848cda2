#include "tarsier/text/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

int combining_class(utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; }

// Every character below U+0300 is its own normal form and composes with nothing before it.
bool is_plain(std::string_view utf8) {
  return std::all_of(utf8.begin(), utf8.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0xCC; });
}

}  // namespace

std::string to_nfc(std::string_view utf8) {
  if (is_plain(utf8)) return std::string(utf8);

  std::vector<utf8proc_int32_t> points;  // fully decomposed
  points.reserve(utf8.size() + 8);
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint c = code_point_at(utf8, at);
    at += c.bytes;
    std::array<utf8proc_int32_t, 32> parts;
    int last_boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.value), parts.data(),
                                               parts.size(), UTF8PROC_DECOMPOSE, &last_boundary);
    check(count > 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()),
          "a character decomposes into at most 32");
    points.insert(points.end(), parts.begin(), parts.begin() + count);
  }

  // utf8proc's own reordering is quadratic in the length of a run of marks; a stable sort of each
  // run is not.
  for (auto run = points.begin(); run != points.end();) {
    if (combining_class(*run) == 0) {
      ++run;
      continue;
    }
    const auto end =
        std::find_if(run, points.end(), [](auto c) { return combining_class(c) == 0; });
    std::stable_sort(run, end,
                     [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    run = end;
  }

  const auto composed =
      utf8proc_normalize_utf32(points.data(), static_cast<utf8proc_ssize_t>(points.size()),
                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  check(composed >= 0, "utf8proc composes what it decomposed");
  std::string text;
  text.reserve(utf8.size());
  for (auto i = points.begin(); i != points.begin() + composed; ++i)
    append_utf8(text, static_cast<char32_t>(*i));
  return text;
}

}  // namespace tarsier
