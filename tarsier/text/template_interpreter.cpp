#include "tarsier/text/template_interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_operators.h"

namespace tarsier::jinja {

Interpreter::Interpreter(const Syntax& syntax, const std::string& name, TemplateBudget budget,
                         const Entries& variables)
    : syntax_(syntax), meter_(name, budget), names_(syntax.names.size()) {
  for (std::size_t slot = 0; slot < names_.size(); ++slot) {
    if (const Value* value = find_entry(variables, syntax.names[slot])) {
      names_[slot] = *value;
    } else if (const auto function = function_named(syntax.names[slot])) {
      names_[slot] = *function;
    }
  }
}

std::string Interpreter::run() {
  execute(syntax_.body);
  return std::move(output_);
}

void Interpreter::execute(const Body& body) {
  for (const Node& node : body) execute(node);
}

void Interpreter::execute(const Node& node) {
  meter_.at_line(node.line);
  meter_.spend(1);
  switch (node.kind) {
    case NodeKind::data:
      meter_.spend_bytes(node.text.size(), output_.size() + node.text.size());
      output_ += node.text;
      break;
    case NodeKind::output:
      append_text(output_, evaluate(*node.exprs[0]), meter_);
      break;
    case NodeKind::set:
      run_set(node);
      break;
    case NodeKind::condition: {
      std::size_t branch = 0;
      while (branch < node.exprs.size() && !is_true(evaluate(*node.exprs[branch]))) ++branch;
      if (branch < node.bodies.size()) execute(node.bodies[branch]);
      break;
    }
    case NodeKind::loop:
      run_loop(node);
      break;
    case NodeKind::generation: {
      const std::size_t scope = enter_scope();
      execute(node.bodies[0]);
      leave_scope(scope);
      break;
    }
  }
}

void Interpreter::run_set(const Node& node) {
  Value value = evaluate(*node.exprs[0]);
  if (node.text.empty()) return assign(node.slots[0], std::move(value));
  const Namespace* space = names_[node.slots[0]].as_namespace();
  if (!space)
    meter_.fail(fmt::format("sets '{}' of a {}", node.text, names_[node.slots[0]].type_name()),
                "make it a namespace");
  meter_.storable(value);
  auto& entries = (*space)->entries;
  meter_.spend(entries.size() / 8);
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == node.text; });
  if (found == entries.end()) {
    entries.emplace_back(node.text, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

void Interpreter::run_loop(const Node& node) {
  List items = iterate(evaluate(*node.exprs[0]), meter_);
  if (node.exprs.size() > 1)
    items = std::make_shared<const ListData>(ListData{kept_items(node, items), 1});
  const std::size_t scope = enter_scope();
  if (items->items.empty()) {
    if (node.bodies.size() > 1) execute(node.bodies[1]);
    leave_scope(scope);
    return;
  }
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    meter_.at_line(node.line);
    meter_.spend(3);
    bind_targets(node, items->items[i]);
    assign(syntax_.loop_slot,
           Loop(std::make_shared<const LoopData>(LoopData{items, static_cast<std::int64_t>(i)})));
    execute(node.bodies[0]);
    leave_scope(scope);
  }
}

std::vector<Value> Interpreter::kept_items(const Node& node, const List& items) {
  std::vector<Value> kept;
  for (const Value& item : items->items) {
    const std::size_t scope = enter_scope();
    bind_targets(node, item);
    if (is_true(evaluate(*node.exprs[1]))) kept.push_back(item);
    leave_scope(scope);
  }
  return kept;
}

void Interpreter::bind_targets(const Node& node, const Value& item) {
  if (node.slots.size() == 1) return assign(node.slots[0], item);
  const List parts = iterate(item, meter_);
  if (parts->items.size() != node.slots.size()) {
    meter_.fail(
        fmt::format("unpacks {} values into {} names", parts->items.size(), node.slots.size()));
  }
  for (std::size_t i = 0; i < node.slots.size(); ++i) assign(node.slots[i], parts->items[i]);
}

void Interpreter::assign(std::size_t slot, Value value) {
  undo_.emplace_back(slot, std::exchange(names_[slot], std::move(value)));
}

void Interpreter::leave_scope(std::size_t mark) {
  while (undo_.size() > mark) {
    names_[undo_.back().first] = std::move(undo_.back().second);
    undo_.pop_back();
  }
}

Value Interpreter::evaluate(const Expr& expr) {
  meter_.at_line(expr.line);
  meter_.spend(1);
  const auto child = [&](std::size_t i) { return evaluate(*expr.children[i]); };
  switch (expr.kind) {
    case ExprKind::literal:
      return expr.value;
    case ExprKind::name:
      return names_[expr.slot];
    case ExprKind::list: {
      std::vector<Value> items;
      items.reserve(expr.children.size());
      for (const ExprPtr& each : expr.children) items.push_back(meter_.storable(evaluate(*each)));
      return make_list(std::move(items));
    }
    case ExprKind::dict:
      return evaluate_dict(expr);
    case ExprKind::attribute:
      return attribute(child(0), expr.text, meter_);
    case ExprKind::subscript:
      return subscript(child(0), child(1), meter_);
    case ExprKind::slice:
      return slice(child(0), child(1), child(2), child(3), meter_);
    case ExprKind::call: {
      const Value callee = child(0);
      if (!callee.as_function())
        meter_.fail(fmt::format("calls '{}', a {}", expr.children[0]->text, callee.type_name()));
      return call_function(*callee.as_function(), evaluate_arguments(expr), meter_);
    }
    case ExprKind::method:
      return call_method(expr.text, child(0), evaluate_arguments(expr), meter_);
    case ExprKind::filter:
      return apply_filter(expr.text, child(0), evaluate_arguments(expr), meter_);
    case ExprKind::test:
      return apply_test(expr.text, child(0), evaluate_arguments(expr), meter_);
    case ExprKind::arithmetic:
      return evaluate_chain(expr);
    case ExprKind::concatenate: {
      std::string text;
      for (const ExprPtr& each : expr.children) append_text(text, evaluate(*each), meter_);
      return text;
    }
    case ExprKind::compare:
      return evaluate_comparison(expr);
    case ExprKind::negate:
      return negated(child(0), meter_);
    case ExprKind::plus: {
      Value value = child(0);
      if (!value.is_number())
        meter_.fail(fmt::format("cannot put + before a {}", value.type_name()));
      return value.is_bool() ? Value(value.as_integer()) : value;
    }
    case ExprKind::logical_not:
      return !is_true(child(0));
    case ExprKind::logical_and:
    case ExprKind::logical_or: {
      const bool wanted =
          expr.kind == ExprKind::logical_or;  // Python gives back the operand that decides
      Value value;
      for (const ExprPtr& each : expr.children) {
        value = evaluate(*each);
        if (is_true(value) == wanted) break;
      }
      return value;
    }
    case ExprKind::choose:
      return is_true(child(1)) ? child(0) : child(2);
  }
  return {};
}

Value Interpreter::evaluate_chain(const Expr& expr) {
  Value value = evaluate(*expr.children[0]);
  for (std::size_t i = 0; i < expr.operators.size(); ++i) {
    const Value right = evaluate(*expr.children[i + 1]);
    meter_.at_line(expr.line);
    value = arithmetic(expr.operators[i], value, right, meter_);
  }
  return value;
}

bool Interpreter::evaluate_comparison(const Expr& expr) {
  Value left = evaluate(*expr.children[0]);
  for (std::size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = evaluate(*expr.children[i + 1]);
    meter_.at_line(expr.line);
    if (!compared(expr.operators[i], left, right, meter_)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::evaluate_dict(const Expr& expr) {
  Entries entries;
  for (std::size_t i = 0; i + 1 < expr.children.size(); i += 2) {
    const Value key = evaluate(*expr.children[i]);
    if (!key.is_string())
      meter_.fail(fmt::format("has a dict key that is a {}", key.type_name()),
                  "use strings as keys");
    Value value = meter_.storable(evaluate(*expr.children[i + 1]));
    meter_.spend(entries.size() / 8);
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto& e) { return e.first == key.as_string(); });
    if (found == entries.end()) {
      entries.emplace_back(key.as_string(), std::move(value));
    } else {
      found->second = std::move(value);
    }
  }
  return make_dict(std::move(entries));
}

Arguments Interpreter::evaluate_arguments(const Expr& expr) {
  Arguments arguments;
  for (std::size_t i = 1; i < expr.children.size(); ++i)
    arguments.positional.push_back(evaluate(*expr.children[i]));
  for (const auto& [name, value] : expr.named) arguments.named.emplace_back(name, evaluate(*value));
  return arguments;
}

}  // namespace tarsier::jinja
