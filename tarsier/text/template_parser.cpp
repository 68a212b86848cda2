#include "tarsier/text/template_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/text/template_meter.h"

namespace tarsier::jinja {

Syntax parse_template(std::string_view source, const std::string& name, std::int64_t max_depth) {
  return Parser(lex_template(source, name), name, max_depth).run();
}

Parser::Parser(std::vector<Token> tokens, const std::string& name, std::int64_t max_depth)
    : tokens_(std::move(tokens)), name_(name), max_depth_(max_depth) {}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (++parser_.depth_ > parser_.max_depth_) {
    --parser_.depth_;
    parser_.fail(fmt::format("nests deeper than {} levels", parser_.max_depth_),
                 "simplify the template");
  }
}

Syntax Parser::run() {
  syntax_.loop_slot = slot_of("loop");
  syntax_.body = parse_body({});
  return std::move(syntax_);
}

// Up to the tag that ends the body, which stays current (its name, past the {%); at the top, up to
// the end.
Body Parser::parse_body(std::initializer_list<std::string_view> ends) {
  const Nesting nesting(*this);
  Body body;
  for (;;) {
    const int line = current().line;
    switch (current().kind) {
      case TokenKind::end:
        if (ends.size() != 0) fail(fmt::format("ends without '{}'", *(ends.end() - 1)));
        return body;
      case TokenKind::data:
        body.push_back({NodeKind::data, line, current().text, {}, {}, {}});
        ++at_;
        break;
      case TokenKind::variable_begin: {
        ++at_;
        Node node{NodeKind::output, line, {}, {}, {}, {}};
        node.exprs.push_back(parse_expression());
        if (current().kind != TokenKind::variable_end)
          fail("has an unexpected " + describe_current());
        ++at_;
        body.push_back(std::move(node));
        break;
      }
      default:
        ++at_;  // a lexer's stream has only block_begin left here
        if (std::find(ends.begin(), ends.end(), current().text) != ends.end() &&
            current().kind == TokenKind::name) {
          return body;
        }
        body.push_back(parse_statement());
    }
  }
}

Node Parser::parse_statement() {
  const int line = current().line;
  if (current().kind != TokenKind::name) fail("has a tag that starts with " + describe_current());
  if (take_name("for")) return parse_for(line);
  if (take_name("if")) return parse_if(line);
  if (take_name("set")) return parse_set(line);
  if (take_name("generation")) return parse_generation(line);
  fail(fmt::format("uses the tag '{}'", current().text),
       "chat templates may use for, if, set and generation");
}

Node Parser::parse_for(int line) {
  Node node{NodeKind::loop, line, {}, {}, {}, {}};
  const bool bracketed = take_symbol("(");
  do node.slots.push_back(parse_target());
  while (take_symbol(","));
  if (bracketed) expect_symbol(")");
  if (!take_name("in")) fail("has a for without 'in', but " + describe_current());
  node.exprs.push_back(parse_or());  // an `if` after it filters, it is not an inline if
  if (take_name("if")) node.exprs.push_back(parse_expression());
  if (is_name("recursive")) fail("uses a recursive for", "write the loops out");
  finish_tag();
  node.bodies.push_back(parse_body({"else", "endfor"}));
  if (take_name("else")) {
    finish_tag();
    node.bodies.push_back(parse_body({"endfor"}));
  }
  finish_tag("endfor");
  return node;
}

Node Parser::parse_if(int line) {
  Node node{NodeKind::condition, line, {}, {}, {}, {}};
  do {
    node.exprs.push_back(parse_expression());
    finish_tag();
    node.bodies.push_back(parse_body({"elif", "else", "endif"}));
  } while (take_name("elif"));
  if (take_name("else")) {
    finish_tag();
    node.bodies.push_back(parse_body({"endif"}));
  }
  finish_tag("endif");
  return node;
}

Node Parser::parse_set(int line) {
  Node node{NodeKind::set, line, {}, {}, {}, {}};
  node.slots.push_back(parse_target());
  if (take_symbol(".")) {
    node.text = expect_name();
    if (node.text.starts_with("_"))
      fail(fmt::format("sets the attribute '{}'", node.text), "rename it");
  }
  if (is_symbol(",")) fail("sets several names at once", "set one name a tag");
  if (current().kind == TokenKind::block_end)
    fail("uses a set block", "set the name to an expression");
  expect_symbol("=");
  node.exprs.push_back(parse_expression());
  finish_tag();
  return node;
}

Node Parser::parse_generation(int line) {
  Node node{NodeKind::generation, line, {}, {}, {}, {}};
  finish_tag();
  node.bodies.push_back(parse_body({"endgeneration"}));
  finish_tag("endgeneration");
  return node;
}

void Parser::finish_tag() {
  if (current().kind != TokenKind::block_end)
    fail("has an unexpected " + describe_current() + " in a tag");
  ++at_;
}

void Parser::finish_tag(std::string_view tag) {
  check(take_name(tag), "a body ends at one of its tags");
  finish_tag();
}

std::size_t Parser::slot_of(const std::string& name) {
  const auto [slot, is_new] = slots_.try_emplace(name, syntax_.names.size());
  if (is_new) syntax_.names.push_back(name);
  return slot->second;
}

std::size_t Parser::parse_target() {
  static constexpr std::string_view kReserved[] = {"true", "false", "none", "True", "False",
                                                   "None", "and",   "or",   "not",  "in",
                                                   "is",   "if",    "else"};
  const std::string name = expect_name();
  if (std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved) ||
      name == "loop") {
    fail(fmt::format("assigns to '{}'", name));
  }
  return slot_of(name);
}

bool Parser::is_symbol(std::string_view symbol) const {
  return current().kind == TokenKind::symbol && current().text == symbol;
}

bool Parser::is_name(std::string_view name) const {
  return current().kind == TokenKind::name && current().text == name;
}

bool Parser::take_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  ++at_;
  return true;
}

bool Parser::take_name(std::string_view name) {
  if (!is_name(name)) return false;
  ++at_;
  return true;
}

void Parser::expect_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) fail(fmt::format("needs '{}', but has {}", symbol, describe_current()));
}

std::string Parser::expect_name() {
  if (current().kind != TokenKind::name) fail("needs a name, but has " + describe_current());
  return tokens_[at_++].text;
}

std::string Parser::describe_current() const {
  switch (current().kind) {
    case TokenKind::end:
      return "the end of the template";
    case TokenKind::data:
      return "text";
    case TokenKind::block_begin:
      return "'{%'";
    case TokenKind::block_end:
      return "'%}'";
    case TokenKind::variable_begin:
      return "'{{'";
    case TokenKind::variable_end:
      return "'}}'";
    case TokenKind::string:
      return "a string";
    case TokenKind::integer:
    case TokenKind::real:
      return "a number";
    case TokenKind::name:
    case TokenKind::symbol:
      return "'" + current().text + "'";
  }
  return "something else";
}

void Parser::fail(std::string what, std::string hint) const {
  fail_at(name_, current().line, std::move(what), std::move(hint));
}

}  // namespace tarsier::jinja
