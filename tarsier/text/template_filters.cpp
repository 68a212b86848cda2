#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_json.h"
#include "tarsier/text/template_lexer.h"
#include "tarsier/text/template_operators.h"
#include "tarsier/text/template_strings.h"

namespace tarsier::jinja {
namespace {

Value trim(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("trim", arguments, {"chars"}, meter);
  const Value* chars = reader.find("chars");
  return strip(to_text(value, meter), chars ? *chars : Value(None{}), Sides::both, meter);
}

Value to_json(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("tojson", arguments,
                              {"ensure_ascii", "indent", "separators", "sort_keys"}, meter);
  if (reader.find("separators")) meter.fail("gives tojson separators", "leave them out");
  const auto flag = [&](const char* name) {
    return reader.find(name) && is_true(*reader.find(name));
  };
  const Value* indent = reader.find("indent");
  if (indent && !indent->is_none() && !indent->is_integer())
    meter.fail("gives tojson an indent that is no integer");
  JsonFormat format{-1, flag("ensure_ascii"), flag("sort_keys")};
  if (indent && indent->is_integer())
    format.indent = std::clamp<std::int64_t>(indent->as_integer(), 0, 64);
  return json_text(value, format, meter);
}

Value length(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("length", arguments, {}, meter);
  if (value.is_undefined()) return std::int64_t{0};
  if (value.is_list()) return static_cast<std::int64_t>(value.items().size());
  if (value.is_dict()) return static_cast<std::int64_t>(value.entries().size());
  if (!value.is_string()) meter.fail(fmt::format("takes the length of a {}", value.type_name()));
  meter.spend(value.as_string().size() / 64);
  return count_characters(value.as_string());
}

Value otherwise(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("default", arguments, {"default_value", "boolean"}, meter);
  const Value* boolean = reader.find("boolean");
  const bool wanted = value.is_undefined() || (boolean && is_true(*boolean) && !is_true(value));
  if (!wanted) return value;
  return reader.find("default_value") ? *reader.find("default_value") : Value(std::string());
}

Value first(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("first", arguments, {}, meter);
  const List items = iterate(value, meter);
  return items->items.empty() ? Value() : items->items.front();
}

Value last(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("last", arguments, {}, meter);
  const List items = iterate(value, meter);
  return items->items.empty() ? Value() : items->items.back();
}

Value join(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("join", arguments, {"d"}, meter);
  const std::string separator =
      reader.find("d") ? to_text(*reader.find("d"), meter) : std::string();
  std::string text;
  bool between = false;
  const List items = iterate(value, meter);
  for (const Value& item : items->items) {
    meter.spend(1);
    if (between) {
      meter.spend_bytes(separator.size(), text.size() + separator.size());
      text += separator;
    }
    between = true;
    append_text(text, item, meter);
  }
  return text;
}

Value as_string(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("string", arguments, {}, meter);
  return to_text(value, meter);
}

Value as_list(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("list", arguments, {}, meter);
  return iterate(value, meter);
}

Value replaced(const Value& value, const Arguments& arguments, Meter& meter) {
  const ArgumentReader reader("replace", arguments, {"old", "new", "count"}, meter);
  return replace(to_text(value, meter), reader.at("old"), reader.at("new"), reader.find("count"),
                 meter);
}

struct Filter {
  std::string_view name;
  Value (*apply)(const Value&, const Arguments&, Meter&);
};
constexpr std::array<Filter, 12> kFilters = {{{"trim", trim},
                                              {"tojson", to_json},
                                              {"length", length},
                                              {"count", length},
                                              {"default", otherwise},
                                              {"d", otherwise},
                                              {"first", first},
                                              {"last", last},
                                              {"join", join},
                                              {"string", as_string},
                                              {"list", as_list},
                                              {"replace", replaced}}};

const Filter* find_filter(std::string_view name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(),
                                  [&](const Filter& f) { return f.name == name; });
  return found == kFilters.end() ? nullptr : &*found;
}

}  // namespace

bool is_filter(std::string_view name) { return find_filter(name) != nullptr; }

std::string filter_list() {
  std::vector<std::string_view> names;
  for (const Filter& filter : kFilters) names.push_back(filter.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments,
                   Meter& meter) {
  return find_filter(name)->apply(value, arguments, meter);
}

}  // namespace tarsier::jinja
