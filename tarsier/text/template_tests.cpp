#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "tarsier/text/template_builtins.h"
#include "tarsier/text/template_operators.h"

namespace tarsier::jinja {
namespace {

struct Test {
  std::string_view name;
  bool takes_value;
};
constexpr std::array<Test, 21> kTests = {
    {{"defined", false}, {"undefined", false}, {"none", false},     {"string", false},
     {"mapping", false}, {"iterable", false},  {"sequence", false}, {"number", false},
     {"integer", false}, {"float", false},     {"boolean", false},  {"true", false},
     {"false", false},   {"odd", false},       {"even", false},     {"divisibleby", true},
     {"equalto", true},  {"eq", true},         {"ne", true},        {"in", true},
     {"sameas", true}}};

const Test* find_test(std::string_view name) {
  const auto found = std::find_if(kTests.begin(), kTests.end(),
                                  [&](const Test& test) { return test.name == name; });
  return found == kTests.end() ? nullptr : &*found;
}

Value remainder(const Value& value, const Value& divisor, Meter& meter) {
  if (!value.is_number() || !divisor.is_number()) {
    meter.fail(fmt::format("divides a {} by a {}", value.type_name(), divisor.type_name()));
  }
  return arithmetic("%", value, divisor, meter);
}

bool is_same(const Value& value, const Value& other, Meter& meter) {
  if (value.is_bool() || value.is_none() || other.is_bool() || other.is_none()) {
    return value.type_name() == other.type_name() && are_equal(value, other, meter);
  }
  meter.fail("uses the test 'sameas' on values that are not true, false or none", "use ==");
}

bool test_with_value(std::string_view name, const Value& value, const Value& other, Meter& meter) {
  if (name == "divisibleby") return !is_true(remainder(value, other, meter));
  if (name == "ne") return !are_equal(value, other, meter);
  if (name == "in") return contains(other, value, meter);
  if (name == "sameas") return is_same(value, other, meter);
  return are_equal(value, other, meter);
}

}  // namespace

bool is_test(std::string_view name) { return find_test(name) != nullptr; }
bool test_takes_value(std::string_view name) { return find_test(name)->takes_value; }

std::string test_list() {
  std::vector<std::string_view> names;
  for (const Test& test : kTests) names.push_back(test.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

bool apply_test(std::string_view name, const Value& value, const Arguments& arguments,
                Meter& meter) {
  if (test_takes_value(name)) {
    const ArgumentReader reader(name, arguments, {"value"}, meter);
    return test_with_value(name, value, reader.at("value"), meter);
  }
  const ArgumentReader reader(name, arguments, {}, meter);
  if (name == "defined") return !value.is_undefined();
  if (name == "undefined") return value.is_undefined();
  if (name == "none") return value.is_none();
  if (name == "string") return value.is_string();
  if (name == "mapping") return value.is_dict();
  if (name == "iterable" || name == "sequence") {  // Jinja's undefined is an empty sequence
    return value.is_string() || value.is_list() || value.is_dict() || value.is_undefined() ||
           (name == "iterable" && value.as_loop());
  }
  if (name == "number") return value.is_number();
  if (name == "integer") return value.is_integer() && !value.is_bool();
  if (name == "float") return value.is_float();
  if (name == "boolean") return value.is_bool();
  if (name == "true") return value.is_bool() && value.as_bool();
  if (name == "false") return value.is_bool() && !value.as_bool();
  const bool odd = is_true(remainder(value, Value(std::int64_t{2}), meter));
  return name == "odd" ? odd : !odd;
}

}  // namespace tarsier::jinja
