#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tarsier::jinja {

class Value;

struct Undefined {};
struct None {};
enum class Function { range, make_namespace, raise_exception };

/// Containers never change once made (the sandbox forbids it), except namespaces, which hold no
/// other namespace: values form no cycles. `depth` counts nested containers, so that walking one by
/// recursion is safe.
struct ListData;
struct DictData;
struct NamespaceData;
struct LoopData;

using String = std::shared_ptr<const std::string>;
using List = std::shared_ptr<const ListData>;
using Dict = std::shared_ptr<const DictData>;
using Namespace = std::shared_ptr<NamespaceData>;
using Loop = std::shared_ptr<const LoopData>;

/// A value of a template: what Python would hold. Cheap to copy.
class Value {
 public:
  Value() = default;  // undefined
  Value(None) : held_(None{}) {}
  Value(bool value) : held_(value) {}
  Value(std::int64_t value) : held_(value) {}
  Value(double value) : held_(value) {}
  Value(Function value) : held_(value) {}
  Value(std::string text) : held_(std::make_shared<const std::string>(std::move(text))) {}
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char*) = delete;
  Value(List value) : held_(std::move(value)) {}
  Value(Dict value) : held_(std::move(value)) {}
  Value(Namespace value) : held_(std::move(value)) {}
  Value(Loop value) : held_(std::move(value)) {}

  bool is_undefined() const { return is<Undefined>(); }
  bool is_none() const { return is<None>(); }
  bool is_bool() const { return is<bool>(); }
  bool is_float() const { return is<double>(); }
  bool is_integer() const {
    return is<bool>() || is<std::int64_t>();
  }  // as in Python, a bool is an integer
  bool is_number() const { return is_integer() || is_float(); }
  bool is_string() const { return is<String>(); }
  bool is_list() const { return is<List>(); }
  bool is_dict() const { return is<Dict>(); }

  bool as_bool() const { return std::get<bool>(held_); }
  std::int64_t as_integer() const { return is_bool() ? as_bool() : std::get<std::int64_t>(held_); }
  double as_number() const {
    return is_float() ? std::get<double>(held_) : static_cast<double>(as_integer());
  }
  const std::string& as_string() const { return *std::get<String>(held_); }
  const std::vector<Value>& items() const;                            // of a list
  const std::vector<std::pair<std::string, Value>>& entries() const;  // of a dict, in order
  const List& as_list() const { return std::get<List>(held_); }
  const Namespace* as_namespace() const { return std::get_if<Namespace>(&held_); }
  const Loop* as_loop() const { return std::get_if<Loop>(&held_); }
  const Function* as_function() const { return std::get_if<Function>(&held_); }

  /// 0 for plain values, 1 + the deepest item for containers.
  int depth() const;
  /// Python's name of the type, for messages.
  std::string_view type_name() const;

 private:
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(held_);
  }
  std::variant<Undefined, None, bool, std::int64_t, double, Function, String, List, Dict, Namespace,
               Loop>
      held_;
};

using Entries = std::vector<std::pair<std::string, Value>>;

struct ListData {
  std::vector<Value> items;
  int depth;
};
struct DictData {
  Entries entries;
  int depth;
};
struct NamespaceData {
  Entries entries;
};
struct LoopData {
  List items;
  std::int64_t index;  // from 0
};

inline const std::vector<Value>& Value::items() const { return std::get<List>(held_)->items; }
inline const Entries& Value::entries() const { return std::get<Dict>(held_)->entries; }

/// The entry of that key, or nullptr.
const Value* find_entry(const Entries& entries, std::string_view key);
Value make_list(std::vector<Value> items);
Value make_dict(Entries entries);

}  // namespace tarsier::jinja
