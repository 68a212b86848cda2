#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/text/template_lexer.h"
#include "tarsier/text/template_syntax.h"

namespace tarsier::jinja {

/// Parses a template, by jinja2's grammar and precedences. CheckpointError names template, line and
/// whatever is not in the subset (a tag, filter, test, method, function, operator), and nesting
/// beyond `max_depth`.
Syntax parse_template(std::string_view source, const std::string& name, std::int64_t max_depth);

/// The recursive descent behind parse_template: statements in template_parser.cpp, expressions,
/// loosest first, in template_expressions.cpp, and what binds tightest in template_primaries.cpp.
class Parser {
 public:
  Parser(std::vector<Token> tokens, const std::string& name, std::int64_t max_depth);
  Syntax run();

 private:
  Body parse_body(std::initializer_list<std::string_view> ends);
  Node parse_statement();
  Node parse_for(int line);
  Node parse_if(int line);
  Node parse_set(int line);
  Node parse_generation(int line);
  void finish_tag();                      // past the %} of a tag
  void finish_tag(std::string_view tag);  // past `tag` and its %}

  ExprPtr parse_expression();  // with inline if
  ExprPtr parse_or();
  ExprPtr parse_and();
  ExprPtr parse_not();
  ExprPtr parse_comparison();
  ExprPtr parse_sum();
  ExprPtr parse_concatenation();
  ExprPtr parse_product();
  ExprPtr parse_unary(bool with_filters);
  ExprPtr parse_primary();
  ExprPtr parse_parenthesised();
  ExprPtr parse_list();
  ExprPtr parse_dict();
  ExprPtr parse_postfix(ExprPtr expr);
  ExprPtr parse_subscript(ExprPtr expr);
  ExprPtr parse_call(ExprPtr callee);
  ExprPtr parse_filters(ExprPtr expr);
  ExprPtr parse_filter(ExprPtr expr);
  ExprPtr parse_test(ExprPtr expr);
  void parse_arguments(Expr& call);

  ExprPtr finish(Expr expr);  // computes and checks the depth
  ExprPtr make_literal(Value value);
  std::size_t slot_of(const std::string& name);
  std::size_t parse_target();  // a name that is assigned to

  const Token& current() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  bool is_symbol(std::string_view symbol) const;
  bool is_name(std::string_view name) const;
  bool take_symbol(std::string_view symbol);
  bool take_name(std::string_view name);
  void expect_symbol(std::string_view symbol);
  std::string expect_name();
  std::string describe_current() const;
  [[noreturn]] void fail(std::string what, std::string hint = "mend the template") const;

  /// Counts nested calls for as long as it lives.
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };

  std::vector<Token> tokens_;
  const std::string& name_;
  const std::int64_t max_depth_;
  std::int64_t depth_ = 0;
  std::size_t at_ = 0;
  Syntax syntax_;
  std::map<std::string, std::size_t> slots_;
};

}  // namespace tarsier::jinja
