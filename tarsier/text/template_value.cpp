#include "tarsier/text/template_value.h"

#include <algorithm>
#include <array>

namespace tarsier::jinja {

int Value::depth() const {
  if (is_list()) return std::get<List>(held_)->depth;
  if (is_dict()) return std::get<Dict>(held_)->depth;
  return 0;
}

std::string_view Value::type_name() const {
  constexpr std::array<std::string_view, 11> kNames = {"undefined", "none",      "bool", "int",
                                                       "float",     "function",  "str",  "list",
                                                       "dict",      "namespace", "loop"};
  static_assert(std::variant_size_v<decltype(held_)> == kNames.size());
  return kNames[held_.index()];
}

const Value* find_entry(const Entries& entries, std::string_view key) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  return found == entries.end() ? nullptr : &found->second;
}

Value make_list(std::vector<Value> items) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  return List(std::make_shared<const ListData>(ListData{std::move(items), depth + 1}));
}

Value make_dict(Entries entries) {
  int depth = 0;
  for (const auto& [key, value] : entries) depth = std::max(depth, value.depth());
  return Dict(std::make_shared<const DictData>(DictData{std::move(entries), depth + 1}));
}

}  // namespace tarsier::jinja
