#pragma once

#include <string>
#include <string_view>

#include "tarsier/text/template_meter.h"
#include "tarsier/text/template_value.h"

namespace tarsier::jinja {

/// Python's str methods that templates use.
enum class Sides { left, right, both };
/// Strips white space, or the characters of `chars` when it is a string.
Value strip(std::string_view text, const Value& chars, Sides sides, Meter& meter);
/// `count` limits the replacements, nullptr or negative replaces all.
Value replace(const std::string& text, const Value& old_text, const Value& new_text,
              const Value* count, Meter& meter);
/// At `separator`, or at white space when it is none.
Value split(std::string_view text, const Value& separator, const Value* limit, Meter& meter);

}  // namespace tarsier::jinja
