#include <fmt/format.h>

#include <algorithm>

#include "tarsier/text/template_meter.h"
#include "tarsier/text/template_parser.h"

namespace tarsier::jinja {
namespace {

Expr start(ExprKind kind, int line) {
  Expr expr;
  expr.kind = kind;
  expr.line = line;
  return expr;
}

}  // namespace

ExprPtr Parser::finish(Expr expr) {
  const auto deepen = [&](const ExprPtr& child) {
    expr.depth = std::max(expr.depth, child->depth + 1);
  };
  for (const ExprPtr& child : expr.children) deepen(child);
  for (const auto& [name, child] : expr.named) deepen(child);
  if (expr.depth > max_depth_) {
    fail_at(name_, expr.line, fmt::format("nests deeper than {} levels", max_depth_),
            "simplify the template");
  }
  return std::make_unique<Expr>(std::move(expr));
}

ExprPtr Parser::make_literal(Value value) {
  Expr expr = start(ExprKind::literal, current().line);
  expr.value = std::move(value);
  return finish(std::move(expr));
}

ExprPtr Parser::parse_expression() {
  const Nesting nesting(*this);
  const int line = current().line;
  ExprPtr value = parse_or();
  while (take_name("if")) {
    Expr choose = start(ExprKind::choose, line);
    choose.children.push_back(std::move(value));
    choose.children.push_back(parse_or());
    choose.children.push_back(take_name("else") ? parse_expression() : make_literal(Value()));
    value = finish(std::move(choose));
  }
  return value;
}

ExprPtr Parser::parse_or() {
  Expr all = start(ExprKind::logical_or, current().line);
  do all.children.push_back(parse_and());
  while (take_name("or"));
  return all.children.size() == 1 ? std::move(all.children[0]) : finish(std::move(all));
}

ExprPtr Parser::parse_and() {
  Expr all = start(ExprKind::logical_and, current().line);
  do all.children.push_back(parse_not());
  while (take_name("and"));
  return all.children.size() == 1 ? std::move(all.children[0]) : finish(std::move(all));
}

ExprPtr Parser::parse_not() {
  if (!is_name("not")) return parse_comparison();
  const Nesting nesting(*this);
  Expr expr = start(ExprKind::logical_not, current().line);
  ++at_;
  expr.children.push_back(parse_not());
  return finish(std::move(expr));
}

ExprPtr Parser::parse_comparison() {
  Expr chain = start(ExprKind::compare, current().line);
  chain.children.push_back(parse_sum());
  for (;;) {
    std::string op;
    for (const char* symbol : {"==", "!=", ">=", "<=", ">", "<"}) {
      if (take_symbol(symbol)) op = symbol;
      if (!op.empty()) break;
    }
    if (op.empty() && take_name("in")) op = "in";
    if (op.empty() && is_name("not") && next().kind == TokenKind::name && next().text == "in") {
      at_ += 2;
      op = "not in";
    }
    if (op.empty()) break;
    chain.operators.push_back(op);
    chain.children.push_back(parse_sum());
  }
  return chain.operators.empty() ? std::move(chain.children[0]) : finish(std::move(chain));
}

ExprPtr Parser::parse_sum() {
  Expr chain = start(ExprKind::arithmetic, current().line);
  chain.children.push_back(parse_concatenation());
  while (is_symbol("+") || is_symbol("-")) {
    chain.operators.push_back(current().text);
    ++at_;
    chain.children.push_back(parse_concatenation());
  }
  return chain.operators.empty() ? std::move(chain.children[0]) : finish(std::move(chain));
}

ExprPtr Parser::parse_concatenation() {
  Expr chain = start(ExprKind::concatenate, current().line);
  do chain.children.push_back(parse_product());
  while (take_symbol("~"));
  return chain.children.size() == 1 ? std::move(chain.children[0]) : finish(std::move(chain));
}

ExprPtr Parser::parse_product() {
  Expr chain = start(ExprKind::arithmetic, current().line);
  chain.children.push_back(parse_unary(true));
  while (is_symbol("*") || is_symbol("/") || is_symbol("//") || is_symbol("%")) {
    chain.operators.push_back(current().text);
    ++at_;
    chain.children.push_back(parse_unary(true));
  }
  if (is_symbol("**")) fail("uses the operator '**'", "write the product out");
  return chain.operators.empty() ? std::move(chain.children[0]) : finish(std::move(chain));
}

// As in jinja2, filters and tests bind looser than a sign: -x|trim is (-x)|trim.
ExprPtr Parser::parse_unary(bool with_filters) {
  const Nesting nesting(*this);
  ExprPtr expr;
  if (is_symbol("-") || is_symbol("+")) {
    Expr sign = start(is_symbol("-") ? ExprKind::negate : ExprKind::plus, current().line);
    ++at_;
    sign.children.push_back(parse_unary(false));
    expr = finish(std::move(sign));
  } else {
    expr = parse_primary();
  }
  expr = parse_postfix(std::move(expr));
  return with_filters ? parse_filters(std::move(expr)) : std::move(expr);
}

}  // namespace tarsier::jinja
