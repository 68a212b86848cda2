#include <fmt/format.h>

#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_parser.h"

namespace tarsier::jinja {
namespace {

Expr start(ExprKind kind, int line, ExprPtr first = nullptr) {
  Expr expr;
  expr.kind = kind;
  expr.line = line;
  if (first) expr.children.push_back(std::move(first));
  return expr;
}

}  // namespace

ExprPtr Parser::parse_primary() {
  const Token token = current();
  switch (token.kind) {
    case TokenKind::integer:
      ++at_;
      return make_literal(token.integer);
    case TokenKind::real:
      ++at_;
      return make_literal(token.real);
    case TokenKind::string: {
      std::string text;
      while (current().kind == TokenKind::string)
        text += tokens_[at_++].text;  // neighbours join, as in Python
      return make_literal(std::move(text));
    }
    case TokenKind::name: {
      if (token.text == "not" || token.text == "and" || token.text == "or" || token.text == "in" ||
          token.text == "is" || token.text == "if" || token.text == "else") {
        fail(fmt::format("has '{}' where a value is needed", token.text));
      }
      ++at_;
      if (token.text == "true" || token.text == "True") return make_literal(true);
      if (token.text == "false" || token.text == "False") return make_literal(false);
      if (token.text == "none" || token.text == "None") return make_literal(None{});
      Expr name = start(ExprKind::name, token.line);
      name.text = token.text;
      name.slot = slot_of(token.text);
      return finish(std::move(name));
    }
    default:
      break;
  }
  if (is_symbol("(")) return parse_parenthesised();
  if (is_symbol("[")) return parse_list();
  if (is_symbol("{")) return parse_dict();
  fail("needs a value, but has " + describe_current());
}

ExprPtr Parser::parse_parenthesised() {
  Expr items = start(ExprKind::list, current().line);
  expect_symbol("(");
  bool is_tuple = is_symbol(")");
  while (!is_symbol(")")) {
    items.children.push_back(parse_expression());
    if (!take_symbol(",")) break;
    is_tuple = true;
  }
  expect_symbol(")");
  return is_tuple ? finish(std::move(items)) : std::move(items.children[0]);
}

ExprPtr Parser::parse_list() {
  Expr items = start(ExprKind::list, current().line);
  expect_symbol("[");
  while (!is_symbol("]")) {
    items.children.push_back(parse_expression());
    if (!take_symbol(",")) break;
  }
  expect_symbol("]");
  return finish(std::move(items));
}

ExprPtr Parser::parse_dict() {
  Expr dict = start(ExprKind::dict, current().line);
  expect_symbol("{");
  while (!is_symbol("}")) {
    dict.children.push_back(parse_expression());
    expect_symbol(":");
    dict.children.push_back(parse_expression());
    if (!take_symbol(",")) break;
  }
  expect_symbol("}");
  return finish(std::move(dict));
}

ExprPtr Parser::parse_postfix(ExprPtr expr) {
  for (;;) {
    if (is_symbol("[")) {
      expr = parse_subscript(std::move(expr));
    } else if (is_symbol("(")) {
      expr = parse_call(std::move(expr));
    } else if (is_symbol(".")) {
      ++at_;
      if (current().kind == TokenKind::integer) {
        Expr subscript = start(ExprKind::subscript, current().line, std::move(expr));
        subscript.children.push_back(make_literal(current().integer));
        ++at_;
        expr = finish(std::move(subscript));
        continue;
      }
      Expr attribute = start(ExprKind::attribute, current().line, std::move(expr));
      attribute.text = expect_name();
      if (attribute.text.starts_with("__"))
        fail(fmt::format("reads the attribute '{}'", attribute.text));
      expr = finish(std::move(attribute));
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::parse_subscript(ExprPtr object) {
  const int line = current().line;
  expect_symbol("[");
  std::vector<ExprPtr> parts;
  bool is_slice = false;
  const auto part = [&] {
    const bool empty = is_symbol(":") || is_symbol("]");
    parts.push_back(empty ? make_literal(None{}) : parse_expression());
  };
  part();
  while (parts.size() < 3 && take_symbol(":")) {
    is_slice = true;
    part();
  }
  if (is_symbol(",")) fail("uses several subscripts at once");
  if (!is_slice && tokens_[at_ - 1].text == "[" && tokens_[at_ - 1].kind == TokenKind::symbol) {
    fail("has an empty subscript");
  }
  expect_symbol("]");
  Expr expr = start(is_slice ? ExprKind::slice : ExprKind::subscript, line, std::move(object));
  if (is_slice && parts.size() == 2) parts.push_back(make_literal(None{}));
  for (ExprPtr& each : parts) expr.children.push_back(std::move(each));
  return finish(std::move(expr));
}

ExprPtr Parser::parse_call(ExprPtr callee) {
  const int line = current().line;
  if (callee->kind == ExprKind::name) {
    if (!function_named(callee->text)) {
      fail(fmt::format("calls the function '{}'", callee->text),
           "range, namespace and raise_exception are supported");
    }
    Expr call = start(ExprKind::call, line, std::move(callee));
    parse_arguments(call);
    return finish(std::move(call));
  }
  if (callee->kind != ExprKind::attribute) fail("calls a value that is not a function");
  if (!is_method(callee->text))
    fail(fmt::format("calls the method '{}'", callee->text), "supported: " + method_list());
  Expr method = start(ExprKind::method, line, std::move(callee->children[0]));
  method.text = std::move(callee->text);
  parse_arguments(method);
  return finish(std::move(method));
}

void Parser::parse_arguments(Expr& call) {
  expect_symbol("(");
  while (!is_symbol(")")) {
    if (is_symbol("*") || is_symbol("**")) fail("passes arguments with '*'");
    if (current().kind == TokenKind::name && next().kind == TokenKind::symbol &&
        next().text == "=") {
      std::string name = expect_name();
      expect_symbol("=");
      call.named.emplace_back(std::move(name), parse_expression());
    } else {
      if (!call.named.empty()) fail("has an argument without a name after a named one");
      call.children.push_back(parse_expression());
    }
    if (!take_symbol(",")) break;
  }
  expect_symbol(")");
}

ExprPtr Parser::parse_filters(ExprPtr expr) {
  for (;;) {
    if (is_symbol("|")) {
      expr = parse_filter(std::move(expr));
    } else if (is_name("is")) {
      expr = parse_test(std::move(expr));
    } else if (is_symbol("(")) {
      expr = parse_call(std::move(expr));
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::parse_filter(ExprPtr expr) {
  expect_symbol("|");
  Expr filter = start(ExprKind::filter, current().line, std::move(expr));
  filter.text = expect_name();
  if (!is_filter(filter.text))
    fail(fmt::format("uses the filter '{}'", filter.text), "supported: " + filter_list());
  if (is_symbol("(")) parse_arguments(filter);
  return finish(std::move(filter));
}

ExprPtr Parser::parse_test(ExprPtr expr) {
  const int line = current().line;
  ++at_;
  const bool negated = take_name("not");
  Expr test = start(ExprKind::test, line, std::move(expr));
  test.text = expect_name();
  if (!is_test(test.text))
    fail(fmt::format("uses the test '{}'", test.text), "supported: " + test_list());
  if (is_symbol("(")) {
    parse_arguments(test);
  } else if (test_takes_value(test.text)) {
    test.children.push_back(parse_postfix(parse_primary()));
  }
  ExprPtr result = finish(std::move(test));
  if (!negated) return result;
  return finish(start(ExprKind::logical_not, line, std::move(result)));
}

}  // namespace tarsier::jinja
