#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "tarsier/base/error.h"
#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_operators.h"
#include "tarsier/text/template_strings.h"

namespace tarsier::jinja {
namespace {

constexpr std::array<std::string_view, 11> kMethods = {
    "strip",   "lstrip", "rstrip", "startswith", "endswith", "split",
    "replace", "items",  "keys",   "values",     "get"};

constexpr std::int64_t kMaxRange = 100'000;  // jinja2's sandbox allows no more

Value none_or(const Value* value) { return value ? *value : Value(None{}); }

bool starts_or_ends(std::string_view text, const Value& with, bool start, Meter& meter) {
  if (with.is_list()) {
    return std::any_of(with.items().begin(), with.items().end(), [&](const Value& each) {
      return !each.is_list() && starts_or_ends(text, each, start, meter);
    });
  }
  meter.spend(1);
  if (!with.is_string())
    meter.fail(fmt::format("compares the start or end with a {}", with.type_name()));
  return start ? text.starts_with(with.as_string()) : text.ends_with(with.as_string());
}

Value string_method(std::string_view name, const std::string& text, const Arguments& arguments,
                    Meter& meter) {
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    const ArgumentReader reader(name, arguments, {"chars"}, meter);
    const Sides sides = name == "strip"    ? Sides::both
                        : name == "lstrip" ? Sides::left
                                           : Sides::right;
    return strip(text, none_or(reader.find("chars")), sides, meter);
  }
  if (name == "startswith" || name == "endswith") {
    const ArgumentReader reader(name, arguments, {"prefix"}, meter);
    return starts_or_ends(text, reader.at("prefix"), name == "startswith", meter);
  }
  if (name == "split") {
    const ArgumentReader reader(name, arguments, {"sep", "maxsplit"}, meter);
    return split(text, none_or(reader.find("sep")), reader.find("maxsplit"), meter);
  }
  if (name == "replace") {
    const ArgumentReader reader(name, arguments, {"old", "new", "count"}, meter);
    return replace(text, reader.at("old"), reader.at("new"), reader.find("count"), meter);
  }
  meter.fail(fmt::format("calls the method '{}' of a string", name));
}

Value dict_method(std::string_view name, const Entries& entries, const Arguments& arguments,
                  Meter& meter) {
  meter.spend(entries.size());
  if (name == "get") {
    const ArgumentReader reader(name, arguments, {"key", "default"}, meter);
    const Value& key = reader.at("key");
    const Value* entry = key.is_string() ? find_entry(entries, key.as_string()) : nullptr;
    return entry ? *entry : none_or(reader.find("default"));
  }
  if (name != "items" && name != "keys" && name != "values") {
    meter.fail(fmt::format("calls the method '{}' of a dict", name));
  }
  const ArgumentReader reader(name, arguments, {}, meter);
  std::vector<Value> items;
  for (const auto& [key, value] : entries) {
    if (name == "items") {
      items.push_back(make_list({meter.storable(Value(key)), meter.storable(value)}));
    } else {
      items.push_back(name == "keys" ? Value(key) : value);
    }
  }
  return make_list(std::move(items));
}

Value make_range(const Arguments& arguments, Meter& meter) {
  const auto& given = arguments.positional;
  if (given.empty() || given.size() > 3 || !arguments.named.empty())
    meter.fail("calls range with a wrong number of arguments");
  for (const Value& each : given) {
    if (!each.is_integer()) meter.fail(fmt::format("calls range with a {}", each.type_name()));
  }
  const std::int64_t from = given.size() > 1 ? given[0].as_integer() : 0;
  const std::int64_t to = given[given.size() > 1 ? 1 : 0].as_integer();
  const std::int64_t step = given.size() > 2 ? given[2].as_integer() : 1;
  if (step == 0) meter.fail("calls range with step 0");
  std::vector<Value> items;
  for (std::int64_t i = from; step > 0 ? i < to : i > to;) {
    if (static_cast<std::int64_t>(items.size()) == kMaxRange) {
      meter.fail(fmt::format("calls range for more than {} numbers", kMaxRange),
                 "use a shorter range");
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  meter.spend(items.size() / 4);
  return make_list(std::move(items));
}

Value make_namespace(const Arguments& arguments, Meter& meter) {
  NamespaceData space;
  if (!arguments.positional.empty()) meter.fail("calls namespace with an argument without a name");
  for (const auto& [name, value] : arguments.named) {
    if (name.starts_with("_"))
      meter.fail(fmt::format("sets the attribute '{}'", name), "rename it");
    space.entries.emplace_back(name, meter.storable(value));
  }
  return Namespace(std::make_shared<NamespaceData>(std::move(space)));
}

}  // namespace

bool is_method(std::string_view name) {
  return std::find(kMethods.begin(), kMethods.end(), name) != kMethods.end();
}
std::string method_list() { return fmt::format("{}", fmt::join(kMethods, ", ")); }

Value call_method(std::string_view name, const Value& object, const Arguments& arguments,
                  Meter& meter) {
  if (object.is_string()) return string_method(name, object.as_string(), arguments, meter);
  if (object.is_dict()) return dict_method(name, object.entries(), arguments, meter);
  meter.fail(fmt::format("calls the method '{}' of a {}", name, object.type_name()));
}

std::optional<Function> function_named(std::string_view name) {
  if (name == "range") return Function::range;
  if (name == "namespace") return Function::make_namespace;
  if (name == "raise_exception") return Function::raise_exception;
  return std::nullopt;
}

Value call_function(Function function, const Arguments& arguments, Meter& meter) {
  switch (function) {
    case Function::range:
      return make_range(arguments, meter);
    case Function::make_namespace:
      return make_namespace(arguments, meter);
    case Function::raise_exception: {
      const ArgumentReader reader("raise_exception", arguments, {"message"}, meter);
      throw InputError({meter.name(), to_text(reader.at("message"), meter),
                        "the chat template refuses these messages"});
    }
  }
  throw_broken_promise("a template function is one of three");
}

ArgumentReader::ArgumentReader(std::string_view what, const Arguments& arguments,
                               std::vector<std::string_view> names, Meter& meter)
    : what_(what), meter_(meter) {
  if (arguments.positional.size() > names.size())
    meter.fail(fmt::format("gives '{}' too many arguments", what));
  for (std::size_t i = 0; i < arguments.positional.size(); ++i)
    values_.emplace_back(names[i], &arguments.positional[i]);
  for (const auto& [name, value] : arguments.named) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end()) meter.fail(fmt::format("gives '{}' an argument '{}'", what, name));
    if (find(name)) meter.fail(fmt::format("gives '{}' the argument '{}' twice", what, name));
    values_.emplace_back(*known, &value);
  }
}

const Value* ArgumentReader::find(std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name) return value;
  }
  return nullptr;
}

const Value& ArgumentReader::at(std::string_view name) const {
  const Value* value = find(name);
  if (!value) meter_.fail(fmt::format("gives '{}' no argument '{}'", what_, name));
  return *value;
}

}  // namespace tarsier::jinja
