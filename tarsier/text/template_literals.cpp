#include "tarsier/text/template_literals.h"

#include <charconv>

#include "tarsier/text/utf8.h"

namespace tarsier::jinja {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

// Value of `count` digits of that base at `at`, or -1.
std::int64_t code_of(std::string_view text, std::size_t at, std::size_t count, int base) {
  std::int64_t code = -1;
  if (at + count > text.size()) return -1;
  const char* end = text.data() + at + count;
  const auto result = std::from_chars(text.data() + at, end, code, base);
  return result.ec == std::errc() && result.ptr == end ? code : -1;
}

// Resolves the escape whose backslash is at `at`; returns its length, 0 when it is wrong.
std::size_t read_escape(std::string_view text, std::size_t at, std::string& value) {
  const char c = text[at + 1];
  const auto numbered = [&](std::size_t digits) -> std::size_t {
    const std::int64_t code = code_of(text, at + 2, digits, 16);
    if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
    append_utf8(value, static_cast<char32_t>(code));
    return 2 + digits;
  };
  switch (c) {
    case '\n':
      return 2;
    case 'a':
      value += '\a';
      return 2;
    case 'b':
      value += '\b';
      return 2;
    case 'f':
      value += '\f';
      return 2;
    case 'n':
      value += '\n';
      return 2;
    case 'r':
      value += '\r';
      return 2;
    case 't':
      value += '\t';
      return 2;
    case 'v':
      value += '\v';
      return 2;
    case '\\':
    case '\'':
    case '"':
      value += c;
      return 2;
    case 'x':
      return numbered(2);
    case 'u':
      return numbered(4);
    case 'U':
      return numbered(8);
    case 'N':
      return 0;
    default:
      break;
  }
  if (c >= '0' && c <= '7') {
    std::size_t digits = 1;
    while (digits < 3 && at + 1 + digits < text.size() && text[at + 1 + digits] >= '0' &&
           text[at + 1 + digits] <= '7') {
      ++digits;
    }
    append_utf8(value, static_cast<char32_t>(code_of(text, at + 1, digits, 8)));
    return 1 + digits;
  }
  value += '\\';  // an unknown escape stays as it is written
  return 1;
}

}  // namespace

NumberLiteral read_number(std::string_view text) {
  NumberLiteral number;
  std::size_t end = digits_at(text, 0);
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    number.is_real = true;
    end += 1 + digits_at(text, end + 1);
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    const std::size_t sign =
        end + 1 < text.size() && (text[end + 1] == '+' || text[end + 1] == '-') ? 1 : 0;
    const std::size_t digits = digits_at(text, end + 1 + sign);
    if (digits > 0) {
      number.is_real = true;
      end += 1 + sign + digits;
    }
  }
  const char* last = text.data() + end;
  const auto result = number.is_real ? std::from_chars(text.data(), last, number.real)
                                     : std::from_chars(text.data(), last, number.integer);
  if (result.ec != std::errc()) number.error = "has a number too large";
  if (!number.is_real && end > 1 && text[0] == '0')
    number.error = "has a number with leading zeros";
  if (end < text.size() && (text[end] == '_' || (text[end] >= 'a' && text[end] <= 'z') ||
                            (text[end] >= 'A' && text[end] <= 'Z'))) {
    number.error = "has a number with a letter in it";
  }
  number.length = end;
  return number;
}

StringLiteral read_string(std::string_view text) {
  StringLiteral literal;
  const char quote = text[0];
  std::size_t at = 1;
  while (at < text.size() && text[at] != quote) {
    if (text[at] != '\\') {
      literal.value += text[at++];
      continue;
    }
    const std::size_t length = at + 1 < text.size() ? read_escape(text, at, literal.value) : 0;
    if (length == 0) {
      literal.error = "has a wrong escape in a string";
      return literal;
    }
    at += length;
  }
  if (at >= text.size()) literal.error = "opens a string that is never closed";
  literal.length = at + 1;
  return literal;
}

}  // namespace tarsier::jinja
