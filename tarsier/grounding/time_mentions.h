#pragma once

#include <string_view>
#include <vector>

#include "tarsier/grounding/time_span.h"

namespace tarsier {

/// A span of time in an answer and how it stands among the words.
struct TimeMention {
  WrittenSpan span;
  /// Bytes of the answer that are the mention: the span, list marks and words that lead to it
  /// ("1. From 2 to 4 s").
  std::size_t begin = 0;
  bool opens_line = false;      // nothing but those stands before it on its line
  bool opens_sentence = false;  // nor in its sentence
  bool is_led = false;          // "from", "between", "at" or "during" stands right before it
  bool stands_apart = false;    // a colon, comma, dash or the line's end follows it
  bool is_length = false;       // "for 2-3 seconds": how long, not when

  /// It says when what stands beside it happens: in brackets, or at the start of a sentence. Of a
  /// moment more is asked, for "2 seconds later" is none.
  bool is_heading() const {
    return span.enclosed || (opens_sentence && (span.is_pair || is_led || stands_apart));
  }
};

/// Every span that can only be one of time, in order. A list takes its unit from its end
/// ("5 - 9.5, and 31 - 40 seconds"). No mention overlaps another. Linear in the length.
std::vector<TimeMention> time_mentions(std::string_view answer);

/// The same when the answer is numbers and nothing else, as in "12.5 - 20.0".
std::vector<TimeMention> bare_mentions(std::string_view answer);

/// True of what stands between the spans of one list: ", ", " and ", ";".
bool is_list_mark(std::string_view between);

}  // namespace tarsier
