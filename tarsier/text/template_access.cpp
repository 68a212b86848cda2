#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_operators.h"
#include "tarsier/text/utf8.h"

namespace tarsier::jinja {
namespace {

Value loop_attribute(const LoopData& loop, std::string_view name, Meter& meter) {
  const auto& items = loop.items->items;
  const auto length = static_cast<std::int64_t>(items.size());
  const auto at = [&](std::int64_t i) {
    return i >= 0 && i < length ? items[static_cast<std::size_t>(i)] : Value();
  };
  if (name == "index") return loop.index + 1;
  if (name == "index0") return loop.index;
  if (name == "first") return loop.index == 0;
  if (name == "last") return loop.index == length - 1;
  if (name == "length") return length;
  if (name == "revindex") return length - loop.index;
  if (name == "revindex0") return length - loop.index - 1;
  if (name == "previtem") return at(loop.index - 1);
  if (name == "nextitem") return at(loop.index + 1);
  meter.fail(fmt::format("uses loop.{}", name),
             "use first, last, index, index0, length, previtem or nextitem");
}

// Names that Python's dicts and strings have of their own: reading one without calling it gives no
// entry.
bool is_own_method(const Value& object, std::string_view name) {
  if (object.is_dict()) {
    constexpr std::string_view kOfDict[] = {"items",      "keys",    "values",  "get",
                                            "pop",        "update",  "copy",    "clear",
                                            "setdefault", "popitem", "fromkeys"};
    return std::find(std::begin(kOfDict), std::end(kOfDict), name) != std::end(kOfDict);
  }
  return object.is_string() && is_method(name);
}

// Python's rule for a[from:to:step] over `length` items.
std::vector<std::size_t> slice_indices(std::int64_t length, const Value& from, const Value& to,
                                       const Value& step, Meter& meter) {
  const auto given = [&](const Value& part, std::int64_t otherwise) {
    if (part.is_none()) return otherwise;
    if (!part.is_integer()) meter.fail(fmt::format("slices by a {}", part.type_name()));
    return part.as_integer();
  };
  const std::int64_t stride = given(step, 1);
  if (stride == 0) meter.fail("slices with step 0");
  const std::int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? length : length - 1;
  const auto bound = [&](const Value& part, std::int64_t otherwise) {
    if (part.is_none()) return otherwise;
    const std::int64_t index = given(part, 0);
    return std::clamp(index < 0 ? std::max(index, -length - 1) + length : index, low, high);
  };
  const std::int64_t first = bound(from, stride > 0 ? low : high),
                     last = bound(to, stride > 0 ? high : low);
  std::vector<std::size_t> indices;
  const auto reach = static_cast<std::int64_t>(length + 1);
  const std::int64_t hop = std::clamp(stride, -reach, reach);  // a longer one leaves the range too
  for (std::int64_t i = first; stride > 0 ? i < last : i > last; i += hop)
    indices.push_back(static_cast<std::size_t>(i));
  return indices;
}

}  // namespace

std::int64_t count_characters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::vector<std::string_view> characters(std::string_view utf8) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t bytes = code_point_at(utf8, at).bytes;
    parts.push_back(utf8.substr(at, bytes));
    at += bytes;
  }
  return parts;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void append_text(std::string& text, const Value& value, Meter& meter) {
  if (value.is_string()) {
    meter.spend_bytes(value.as_string().size(), text.size() + value.as_string().size());
    text += value.as_string();
  } else if (value.is_bool()) {
    text += value.as_bool() ? "True" : "False";
  } else if (value.is_integer()) {
    text += std::to_string(value.as_integer());
  } else if (value.is_float()) {
    text += number_text(value.as_number());
  } else if (value.is_none()) {
    text += "None";
  } else if (!value.is_undefined()) {
    meter.fail(fmt::format("prints a {}", value.type_name()),
               "print its parts, or use the filter tojson");
  }
}

std::string to_text(const Value& value, Meter& meter) {
  std::string text;
  append_text(text, value, meter);
  return text;
}

List iterate(const Value& value, Meter& meter) {
  if (value.is_list()) return value.as_list();
  std::vector<Value> items;
  if (value.is_dict()) {
    meter.spend(value.entries().size());
    for (const auto& [key, entry] : value.entries()) items.emplace_back(key);
  } else if (value.is_string()) {
    meter.spend(value.as_string().size());
    for (const std::string_view c : characters(value.as_string())) items.emplace_back(c);
  } else if (!value.is_undefined()) {
    meter.fail(fmt::format("loops over a {}", value.type_name()));
  }
  return std::make_shared<const ListData>(ListData{std::move(items), 1});
}

Value subscript(const Value& object, const Value& key, Meter& meter) {
  if (object.is_undefined()) meter.fail("reads an item of an undefined value");
  if (key.is_integer() && (object.is_list() || object.is_string())) {
    std::int64_t index = key.as_integer();
    if (object.is_list()) {
      const auto length = static_cast<std::int64_t>(object.items().size());
      if (index < 0) index += length;
      return index >= 0 && index < length ? object.items()[static_cast<std::size_t>(index)]
                                          : Value();
    }
    meter.spend(object.as_string().size() / 4);
    const auto parts = characters(object.as_string());
    const auto length = static_cast<std::int64_t>(parts.size());
    if (index < 0) index += length;
    return index >= 0 && index < length ? Value(parts[static_cast<std::size_t>(index)]) : Value();
  }
  if (!key.is_string()) return {};
  if (object.is_dict()) {
    meter.spend(object.entries().size() / 8);
    if (const Value* entry = find_entry(object.entries(), key.as_string())) return *entry;
  }
  return attribute(object, key.as_string(), meter);
}

Value attribute(const Value& object, const std::string& name, Meter& meter) {
  if (object.is_undefined()) meter.fail(fmt::format("reads '{}' of an undefined value", name));
  if (name.starts_with("__")) meter.fail(fmt::format("reads the attribute '{}'", name));
  if (const Loop* loop = object.as_loop()) return loop_attribute(**loop, name, meter);
  if (is_own_method(object, name))
    meter.fail(fmt::format("uses the method '{}' without calling it", name));
  const Entries* entries = object.is_dict() ? &object.entries() : nullptr;
  if (const Namespace* space = object.as_namespace()) entries = &(*space)->entries;
  if (!entries) return {};
  meter.spend(entries->size() / 8);
  const Value* entry = find_entry(*entries, name);
  return entry ? *entry : Value();
}

Value slice(const Value& object, const Value& from, const Value& to, const Value& step,
            Meter& meter) {
  if (object.is_list()) {
    meter.spend(object.items().size());
    std::vector<Value> items;
    for (const std::size_t i :
         slice_indices(static_cast<std::int64_t>(object.items().size()), from, to, step, meter)) {
      items.push_back(object.items()[i]);
    }
    return make_list(std::move(items));
  }
  if (!object.is_string()) meter.fail(fmt::format("slices a {}", object.type_name()));
  meter.spend(object.as_string().size() / 2);
  const auto parts = characters(object.as_string());
  std::string text;
  for (const std::size_t i :
       slice_indices(static_cast<std::int64_t>(parts.size()), from, to, step, meter))
    text += parts[i];
  return text;
}

}  // namespace tarsier::jinja
