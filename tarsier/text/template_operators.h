#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/text/template_meter.h"
#include "tarsier/text/template_value.h"

namespace tarsier::jinja {

/// Python's operators on values. All fail through the meter where Python would raise.
bool is_true(const Value& value);
Value arithmetic(std::string_view op, const Value& left, const Value& right, Meter& meter);
Value negated(const Value& value, Meter& meter);
bool compared(std::string_view op, const Value& left, const Value& right, Meter& meter);
bool are_equal(const Value& left, const Value& right, Meter& meter);
bool contains(const Value& container, const Value& item, Meter& meter);

/// What {{ value }} prints. Lists and dicts, which would print as Python code, are refused.
std::string to_text(const Value& value, Meter& meter);
void append_text(std::string& text, const Value& value, Meter& meter);

/// What `for` walks: items of a list, keys of a dict, characters of a string, nothing of undefined.
List iterate(const Value& value, Meter& meter);

/// object[key], object.name and object[from:to:step]; undefined where Jinja gives undefined.
Value subscript(const Value& object, const Value& key, Meter& meter);
Value attribute(const Value& object, const std::string& name, Meter& meter);
Value slice(const Value& object, const Value& from, const Value& to, const Value& step,
            Meter& meter);

std::int64_t count_characters(std::string_view utf8);
std::vector<std::string_view> characters(std::string_view utf8);
/// Offset of `needle` at or after `from`, npos when there is none; time is linear whatever the
/// text.
std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from);
std::string number_text(double value);  // as Python's repr

}  // namespace tarsier::jinja
