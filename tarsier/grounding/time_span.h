#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tarsier {

/// One time as it is written: "2.5", "4s", "12 seconds", "3秒", "0:05", "1:02:03.5".
struct WrittenTime {
  double seconds = 0;
  bool is_clock = false, has_unit = false, has_fraction = false;
  std::size_t bytes = 0;  // of the text, its unit included
};

/// The time that begins at `at`. Nothing where none begins: no digit there, or one inside a longer
/// word or number ("a4", "1.2.3", "3:7", "0:75").
std::optional<WrittenTime> written_time(std::string_view text, std::size_t at);

/// One or two times with what joins and encloses them: "2.5 - 4 s", "[0:05-0:12]", "(3s)".
struct WrittenSpan {
  double start = 0, end = 0;
  std::size_t begin = 0, past = 0;  // bytes of the text, brackets included
  bool is_pair = false;             // false: a moment, start is end
  bool enclosed = false;            // in [], () or <>
  /// It can only be a time: a unit, a clock, or square brackets say so. "2-4" alone may be people.
  bool marked = false;
};

/// The span whose first digit is at `at`.
std::optional<WrittenSpan> written_span(std::string_view text, std::size_t at);

/// The length of what joins two times at `at`, spaces around it included: "-", an en or em dash,
/// "to", "and", "-->", "~", "到". 0 where there is none.
std::size_t joint_at(std::string_view text, std::size_t at);

}  // namespace tarsier
