#pragma once

#include <string>
#include <vector>

#include "tarsier/text/chat_template.h"
#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_meter.h"
#include "tarsier/text/template_syntax.h"

namespace tarsier::jinja {

/// Runs a parsed template once. `variables` are its top-level names.
class Interpreter {
 public:
  Interpreter(const Syntax& syntax, const std::string& name, TemplateBudget budget,
              const Entries& variables);
  std::string run();

 private:
  void execute(const Body& body);
  void execute(const Node& node);
  void run_loop(const Node& node);
  void run_set(const Node& node);
  std::vector<Value> kept_items(const Node& node, const List& items);
  void bind_targets(const Node& node, const Value& item);

  Value evaluate(const Expr& expr);
  Value evaluate_chain(const Expr& expr);
  bool evaluate_comparison(const Expr& expr);
  Value evaluate_dict(const Expr& expr);
  Arguments evaluate_arguments(const Expr& expr);

  /// Names get their values back when a scope ends.
  void assign(std::size_t slot, Value value);
  std::size_t enter_scope() const { return undo_.size(); }
  void leave_scope(std::size_t mark);

  const Syntax& syntax_;
  Meter meter_;
  std::vector<Value> names_;                         // by slot
  std::vector<std::pair<std::size_t, Value>> undo_;  // (slot, value before), newest last
  std::string output_;
};

}  // namespace tarsier::jinja
