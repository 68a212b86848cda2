#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::jinja {

enum class TokenKind {
  data,
  block_begin,
  block_end,
  variable_begin,
  variable_end,
  name,
  string,
  integer,
  real,
  symbol,
  end
};

struct Token {
  TokenKind kind;
  std::string text;  // of data, name, symbol; the value of a string literal
  int line;
  std::int64_t integer = 0;
  double real = 0;
};

/// Cuts a template into tokens as jinja2 does with trim_blocks and lstrip_blocks: comments gone,
/// white space controlled by `-` and `+`, line ends made \n, one line end at the very end dropped.
/// Ends with a token of kind `end`. CheckpointError names template and line.
std::vector<Token> lex_template(std::string_view source, const std::string& name);

/// Python's str.isspace, which is also what `-` strips.
bool is_python_space(char32_t code_point);
std::string_view strip_left(std::string_view utf8);
std::string_view strip_right(std::string_view utf8);

}  // namespace tarsier::jinja
