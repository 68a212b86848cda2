#include "tarsier/judge/json_repair.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what)) {
    out.append(text.substr(0, at)).append(by);
    text.remove_prefix(at + what.size());
  }
  return out.append(text);
}

std::string with_single_blanks(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    const bool blank = kBlanks.find(c) != std::string_view::npos;
    if (!blank) {
      out += c;
    } else if (!out.ends_with(' ')) {
      out += ' ';
    }
  }
  return out;
}

// The JSON of a literal's words. What is no literal becomes what is no JSON.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  std::string json() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        add_text(c);
      } else if (is_letter(c)) {
        add_word();
      } else if (c == ',' && closes_next()) {
        ++at_;
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  bool closes_next() const {
    const std::size_t next = text_.find_first_not_of(kBlanks, at_ + 1);
    return next != std::string_view::npos && (text_[next] == ']' || text_[next] == '}');
  }

  void add_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords{
        {{"True", "true"}, {"False", "false"}, {"None", "null"}}};
    for (const auto& [python, json] : kWords) {
      if (word != python) continue;
      out_ += json;
      return;
    }
    out_ += word;
  }

  void add_text(char quote) {
    ++at_;
    std::string said;
    if (read_text(quote, said) && !first_invalid_utf8(said)) {
      out_ += nlohmann::json(said).dump();
    } else {
      out_ += '"';  // a text that nothing closes
      at_ = text_.size();
    }
  }

  // False for one that does not end, or holds what no text can.
  bool read_text(char quote, std::string& said) {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return true;
      if (c == '\n') return false;  // only its escape may stand inside quotes
      if (c != '\\') {
        said += c;
      } else if (!add_escape(said)) {
        return false;
      }
    }
    return false;
  }

  std::optional<char32_t> digits(std::size_t count, unsigned base) {
    char32_t value = 0;
    for (std::size_t i = 0; i < count; ++i, ++at_) {
      if (at_ >= text_.size()) return std::nullopt;
      const char c = text_[at_];
      const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                             : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                                    : base;
      if (digit >= base) return std::nullopt;
      value = value * base + digit;
    }
    return value;
  }

  // \uD83D\uDE00 is one character, as in JSON.
  std::optional<char32_t> joined(std::optional<char32_t> high) {
    if (!high || *high < 0xD800 || *high > 0xDFFF) return high;
    if (*high > 0xDBFF || text_.substr(at_, 2) != "\\u") return std::nullopt;
    at_ += 2;
    const std::optional<char32_t> low = digits(4, 16);
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
    return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
  }

  bool add_escape(std::string& said) {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    constexpr std::string_view kNames = "\\'\"/abfnrtv";
    constexpr std::string_view kValues = "\\'\"/\a\b\f\n\r\t\v";
    if (const std::size_t named = kNames.find(c); named != std::string_view::npos) {
      said += kValues[named];
      return true;
    }
    std::optional<char32_t> value;
    if (c == 'x') {
      value = digits(2, 16);
    } else if (c == 'u') {
      value = joined(digits(4, 16));
    } else if (c == 'U') {
      value = digits(8, 16);
    } else if (c != 'N' && c != '\n' && (c < '0' || c > '7')) {
      (said += '\\') += c;  // Python keeps what it does not know
      return true;
    }
    if (!value || *value > 0x10FFFF || (*value >= 0xD800 && *value <= 0xDFFF)) return false;
    append_utf8(said, *value);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string without_fences(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with("```")) return std::string(text);
  std::string out = replaced(replaced(text, "```json", ""), "```python", "");
  out = replaced(out, "```", "");
  return std::string(trimmed(out));
}

std::string repair_json(std::string_view text) {
  const std::string inside = without_fences(with_single_blanks(text));
  std::string out;
  if (!inside.starts_with('{')) out += '{';
  out += inside;
  if (!out.ends_with('}')) out += '}';
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kSteps{
      {{"True", "true"},
       {"False", "false"},
       {"} {", "}, {"},
       {"}{", "}, {"},
       {", }", "}"},
       {",}", "}"},
       {", ]", "]"},
       {",]", "]"},
       {"[Placeholder]", "null"}}};
  for (const auto& [what, by] : kSteps) out = replaced(out, what, by);
  return out;
}

JsonView parse_literal(std::string_view text, std::string where) {
  return parse_json(LiteralReader(text).json(), std::move(where), JsonOwner::input);
}

}  // namespace tarsier
