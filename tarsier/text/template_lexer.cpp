#include "tarsier/text/template_lexer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstddef>

#include "tarsier/text/template_literals.h"
#include "tarsier/text/template_meter.h"
#include "tarsier/text/utf8.h"

namespace tarsier::jinja {
namespace {

// Longest first; the rest of Jinja's operators are refused by the parser, which names them.
constexpr std::array<std::string_view, 30> kSymbols = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", ">", "<", "=",
    "(",  ")",  "[",  "]",  "{",  "}",  ",", ":", ".", "|", ";", "&", "^", "@", "!"};

std::string with_plain_line_ends(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      out += '\n';
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& name) : text_(source), name_(name) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      const std::size_t open = find_open();
      if (open == text_.size()) {
        add_data(text_.substr(at_));
        advance_to(open);
        break;
      }
      const char kind = text_[open + 1];
      const char sign = open + 2 < text_.size() ? text_[open + 2] : '\0';
      add_data(data_before(open, kind, sign));
      advance_to(open + 2 + (sign == '-' || sign == '+' ? 1 : 0));
      if (kind == '#') {
        skip_comment();
      } else {
        add(kind == '%' ? TokenKind::block_begin : TokenKind::variable_begin, {});
        lex_code(kind == '%' ? '%' : '}');
      }
    }
    add(TokenKind::end, {});
    return std::move(tokens_);
  }

 private:
  std::size_t find_open() const {
    for (std::size_t i = text_.find('{', at_); i != std::string_view::npos;
         i = text_.find('{', i + 1)) {
      if (i + 1 < text_.size() &&
          (text_[i + 1] == '%' || text_[i + 1] == '{' || text_[i + 1] == '#'))
        return i;
    }
    return text_.size();
  }

  std::string_view data_before(std::size_t open, char kind, char sign) const {
    const std::string_view data = text_.substr(at_, open - at_);
    if (sign == '-') return strip_right(data);
    if (sign == '+' || kind == '{') return data;
    const std::size_t line_start = data.rfind('\n') + 1;  // npos + 1 is 0
    const bool starts_line = line_start > 0 || at_ == 0 || text_[at_ - 1] == '\n';
    const bool blank = strip_left(data.substr(line_start)).empty();
    return starts_line && blank ? data.substr(0, line_start) : data;
  }

  void skip_comment() {
    const std::size_t close = text_.find("#}", at_);
    if (close == std::string_view::npos) fail("opens a comment that is never closed");
    const char sign = close > at_ ? text_[close - 1] : '\0';
    advance_to(close + 2);
    end_block(sign);
  }

  void end_block(char sign) {  // what `%}` and `#}` swallow after themselves
    if (sign == '-') {
      advance_to(text_.size() - strip_left(text_.substr(at_)).size());
    } else if (sign != '+' && at_ < text_.size() && text_[at_] == '\n') {
      advance_to(at_ + 1);
    }
  }

  // Inside {% %} (`closer` '%') or {{ }} (`closer` '}').
  void lex_code(char closer) {
    std::string open_brackets;
    for (;;) {
      while (at_ < text_.size() && is_python_space(code_point_at(text_, at_).value)) {
        advance_to(at_ + code_point_at(text_, at_).bytes);
      }
      if (at_ >= text_.size()) fail("opens a tag that is never closed");
      if (open_brackets.empty() && lex_close(closer)) return;
      const char c = text_[at_];
      if (is_name_start(c)) {
        std::size_t end = at_;
        while (end < text_.size() && (is_name_start(text_[end]) || is_digit(text_[end]))) ++end;
        add(TokenKind::name, std::string(text_.substr(at_, end - at_)));
        advance_to(end);
      } else if (is_digit(c)) {
        lex_number();
      } else if (c == '"' || c == '\'') {
        lex_string();
      } else {
        lex_symbol(open_brackets);
      }
    }
  }

  bool lex_close(char closer) {
    const std::array<char, 2> mark = {closer, '}'};
    const std::string_view rest = text_.substr(at_);
    const std::string_view plain(mark.data(), mark.size());
    const char sign = rest[0];
    const bool signed_close =
        (sign == '-' || (sign == '+' && closer == '%')) && rest.substr(1).starts_with(plain);
    if (!signed_close && !rest.starts_with(plain)) return false;
    add(closer == '%' ? TokenKind::block_end : TokenKind::variable_end, {});
    advance_to(at_ + (signed_close ? 3 : 2));
    if (closer == '%') {
      end_block(signed_close ? sign : '\0');
    } else if (signed_close) {
      advance_to(text_.size() - strip_left(text_.substr(at_)).size());
    }
    return true;
  }

  void lex_number() {
    const bool after_dot = tokens_.back().kind == TokenKind::symbol && tokens_.back().text == ".";
    std::string_view text = text_.substr(at_);
    if (after_dot) text = text.substr(0, text.find('.'));  // in x.1.2 the 1 is no fraction
    const NumberLiteral number = read_number(text);
    if (!number.error.empty()) fail(number.error);
    Token token{number.is_real ? TokenKind::real : TokenKind::integer,
                {},
                line_,
                number.integer,
                number.real};
    tokens_.push_back(std::move(token));
    advance_to(at_ + number.length);
  }

  void lex_string() {
    const StringLiteral literal = read_string(text_.substr(at_));
    if (!literal.error.empty()) fail(literal.error);
    add(TokenKind::string, literal.value);
    advance_to(at_ + literal.length);
  }

  void lex_symbol(std::string& open_brackets) {
    for (const std::string_view symbol : kSymbols) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      const char c = symbol[0];
      if (c == '(') open_brackets += ')';
      if (c == '[') open_brackets += ']';
      if (c == '{') open_brackets += '}';
      if (c == ')' || c == ']' || c == '}') {
        if (open_brackets.empty() || open_brackets.back() != c)
          fail(fmt::format("has a '{}' that closes nothing", c));
        open_brackets.pop_back();
      }
      add(TokenKind::symbol, std::string(symbol));
      advance_to(at_ + symbol.size());
      return;
    }
    fail(fmt::format("has an unexpected '{}'", text_.substr(at_, code_point_at(text_, at_).bytes)));
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  void add_data(std::string_view data) {
    if (!data.empty()) add(TokenKind::data, std::string(data));
  }
  void advance_to(std::size_t end) {
    for (; at_ < end; ++at_) line_ += text_[at_] == '\n';
  }
  [[noreturn]] void fail(std::string what) const {
    fail_at(name_, line_, std::move(what), "mend the template");
  }

  const std::string_view text_;
  const std::string& name_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

bool is_python_space(char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }

std::string_view strip_left(std::string_view utf8) {
  while (!utf8.empty()) {
    const CodePoint c = code_point_at(utf8, 0);
    if (!is_python_space(c.value)) break;
    utf8.remove_prefix(c.bytes);
  }
  return utf8;
}

std::string_view strip_right(std::string_view utf8) {
  while (!utf8.empty()) {
    std::size_t last = utf8.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(utf8[last]) & 0xC0) == 0x80) --last;
    if (!is_python_space(code_point_at(utf8, last).value)) break;
    utf8 = utf8.substr(0, last);
  }
  return utf8;
}

std::vector<Token> lex_template(std::string_view source, const std::string& name) {
  if (first_invalid_utf8(source)) fail_at(name, 1, "is not UTF-8", "the file is damaged");
  const std::string text = with_plain_line_ends(source);
  return Lexer(text, name).run();
}

}  // namespace tarsier::jinja
