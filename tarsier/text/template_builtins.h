#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/text/template_meter.h"
#include "tarsier/text/template_value.h"

namespace tarsier::jinja {

/// The arguments of a call, evaluated.
struct Arguments {
  std::vector<Value> positional;
  Entries named;
};

/// The subset's functions, filters, tests and methods, by name; lists are for messages.
std::optional<Function> function_named(std::string_view name);
bool is_filter(std::string_view name);
bool is_test(std::string_view name);
bool test_takes_value(std::string_view name);  // as in `x is divisibleby 3`
bool is_method(std::string_view name);
std::string filter_list();
std::string test_list();
std::string method_list();

/// Each fails, through the meter, on arguments of the wrong kind or number.
/// raise_exception throws InputError with its message.
Value call_function(Function function, const Arguments& arguments, Meter& meter);
Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments,
                   Meter& meter);
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments,
                Meter& meter);
Value call_method(std::string_view name, const Value& object, const Arguments& arguments,
                  Meter& meter);

/// Reads arguments in Python's way: `names` in order, each by position or by name.
class ArgumentReader {
 public:
  ArgumentReader(std::string_view what, const Arguments& arguments,
                 std::vector<std::string_view> names, Meter& meter);
  const Value* find(std::string_view name) const;  // nullptr when it was not given
  const Value& at(std::string_view name) const;    // fails when it was not given

 private:
  std::string what_;
  std::vector<std::pair<std::string_view, const Value*>> values_;
  Meter& meter_;
};

}  // namespace tarsier::jinja
