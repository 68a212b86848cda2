#include "tarsier/text/template_strings.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/text/template_lexer.h"
#include "tarsier/text/template_operators.h"
#include "tarsier/text/utf8.h"

namespace tarsier::jinja {
namespace {

std::size_t limit_of(const Value* count, Meter& meter) {
  if (!count) return SIZE_MAX;
  if (!count->is_integer()) meter.fail(fmt::format("counts by a {}", count->type_name()));
  return count->as_integer() < 0 ? SIZE_MAX : static_cast<std::size_t>(count->as_integer());
}

const std::string& string_of(const Value& value, Meter& meter) {
  if (!value.is_string())
    meter.fail(fmt::format("gives a {} where a string is needed", value.type_name()));
  return value.as_string();
}

std::vector<Value> split_at_space(std::string_view text, std::size_t limit, Meter& meter) {
  std::vector<Value> parts;
  for (text = strip_left(text); !text.empty(); text = strip_left(text)) {
    meter.spend(4);
    std::size_t end = 0;
    while (end < text.size() && !is_python_space(code_point_at(text, end).value))
      end += code_point_at(text, end).bytes;
    if (parts.size() == limit) end = strip_right(text).size();
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

}  // namespace

Value strip(std::string_view text, const Value& chars, Sides sides, Meter& meter) {
  meter.spend(text.size() / 64);
  if (chars.is_none() || chars.is_undefined()) {
    if (sides != Sides::right) text = strip_left(text);
    if (sides != Sides::left) text = strip_right(text);
    return text;
  }
  const auto wanted = characters(string_of(chars, meter));
  const auto is_wanted = [&](std::string_view c) {
    meter.spend(1 + wanted.size() / 16);
    return std::find(wanted.begin(), wanted.end(), c) != wanted.end();
  };
  const auto parts = characters(text);
  std::size_t from = 0, to = parts.size();
  while (sides != Sides::right && from < to && is_wanted(parts[from])) ++from;
  while (sides != Sides::left && from < to && is_wanted(parts[to - 1])) --to;
  std::string out;
  for (; from < to; ++from) out += parts[from];
  return out;
}

Value replace(const std::string& text, const Value& old_text, const Value& new_text,
              const Value* count, Meter& meter) {
  const std::string& from = string_of(old_text, meter);
  const std::string& to = string_of(new_text, meter);
  if (from.empty()) meter.fail("replaces an empty string");
  std::size_t left = limit_of(count, meter);
  std::string out;
  std::size_t at = 0;
  meter.spend(text.size() / 16);
  for (std::size_t found = find_text(text, from, 0); found != std::string::npos && left > 0;
       --left) {
    meter.spend_bytes(64 + found - at + to.size(), out.size() + found - at + to.size());
    out.append(text, at, found - at).append(to);
    at = found + from.size();
    found = find_text(text, from, at);
  }
  meter.spend_bytes(text.size() - at, out.size() + text.size() - at);
  return out.append(text, at);
}

Value split(std::string_view text, const Value& separator, const Value* limit, Meter& meter) {
  meter.spend(text.size() / 16);
  const std::size_t most = limit_of(limit, meter);
  if (separator.is_none() || separator.is_undefined())
    return make_list(split_at_space(text, most, meter));
  const std::string& between = string_of(separator, meter);
  if (between.empty()) meter.fail("splits at an empty string");
  std::vector<Value> parts;
  std::size_t at = 0;
  while (parts.size() < most) {
    meter.spend(4);
    const std::size_t found = find_text(text, between, at);
    if (found == std::string::npos) break;
    parts.emplace_back(text.substr(at, found - at));
    at = found + between.size();
  }
  parts.emplace_back(text.substr(at));
  return make_list(std::move(parts));
}

}  // namespace tarsier::jinja
