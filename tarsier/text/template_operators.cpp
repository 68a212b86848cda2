#include "tarsier/text/template_operators.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cmath>

namespace tarsier::jinja {
namespace {

[[noreturn]] void fail_types(std::string_view op, const Value& left, const Value& right,
                             Meter& meter) {
  meter.fail(fmt::format("cannot compute {} {} {}", left.type_name(), op, right.type_name()));
}

Value repeated(const Value& value, std::int64_t count, Meter& meter) {
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
  if (value.is_string()) {
    const std::string& text = value.as_string();
    if (text.empty() || times == 0) return std::string();
    meter.spend_bytes(times > SIZE_MAX / 2 / text.size() ? SIZE_MAX / 2 : times * text.size());
    std::string out;
    out.reserve(times * text.size());
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  }
  const auto& items = value.items();
  if (!items.empty())
    meter.spend(times > (std::size_t{1} << 40) / items.size() ? std::size_t{1} << 40
                                                              : times * items.size());
  std::vector<Value> out;
  if (!items.empty()) {
    for (std::size_t i = 0; i < times; ++i) out.insert(out.end(), items.begin(), items.end());
  }
  return make_list(std::move(out));
}

Value joined(const Value& left, const Value& right, Meter& meter) {
  if (left.is_string()) {
    meter.spend_bytes(left.as_string().size() + right.as_string().size());
    return left.as_string() + right.as_string();
  }
  meter.spend(left.items().size() + right.items().size());
  std::vector<Value> items = left.items();
  items.insert(items.end(), right.items().begin(), right.items().end());
  return make_list(std::move(items));
}

Value integer_arithmetic(std::string_view op, std::int64_t a, std::int64_t b, Meter& meter) {
  std::int64_t out = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(a, b, &out);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(a, b, &out);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(a, b, &out);
  } else {
    if (b == 0) meter.fail("divides by zero");
    if (op == "/") return static_cast<double>(a) / static_cast<double>(b);
    if (b == -1) return op == "%" ? Value(std::int64_t{0}) : integer_arithmetic("-", 0, a, meter);
    const bool round_down =
        a % b != 0 && (a < 0) != (b < 0);  // the remainder takes the divisor's sign
    out = op == "%" ? a % b + (round_down ? b : 0) : a / b - (round_down ? 1 : 0);
  }
  if (overflow) meter.fail("computes an integer beyond 64 bits");
  return out;
}

Value real_arithmetic(std::string_view op, double a, double b, Meter& meter) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (b == 0) meter.fail("divides by zero");
  if (op == "/") return a / b;
  double remainder = std::fmod(a, b);
  if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
  return op == "%" ? remainder : std::floor((a - remainder) / b + 0.5);
}

int order(const Value& left, const Value& right, std::string_view op, Meter& meter) {
  if (left.is_string() && right.is_string()) {
    meter.spend(std::min(left.as_string().size(), right.as_string().size()) / 64);
    return left.as_string().compare(right.as_string());  // UTF-8 sorts as its code points do
  }
  if (!left.is_number() || !right.is_number()) fail_types(op, left, right, meter);
  if (left.is_integer() && right.is_integer()) {
    return left.as_integer() < right.as_integer() ? -1 : left.as_integer() > right.as_integer();
  }
  return left.as_number() < right.as_number() ? -1 : left.as_number() > right.as_number();
}

}  // namespace

bool is_true(const Value& value) {
  if (value.is_undefined() || value.is_none()) return false;
  if (value.is_integer()) return value.as_integer() != 0;
  if (value.is_float()) return value.as_number() != 0;
  if (value.is_string()) return !value.as_string().empty();
  if (value.is_list()) return !value.items().empty();
  if (value.is_dict()) return !value.entries().empty();
  return true;
}

Value arithmetic(std::string_view op, const Value& left, const Value& right, Meter& meter) {
  if (left.is_number() && right.is_number()) {
    if (left.is_float() || right.is_float())
      return real_arithmetic(op, left.as_number(), right.as_number(), meter);
    return integer_arithmetic(op, left.as_integer(), right.as_integer(), meter);
  }
  if (op == "+" &&
      ((left.is_string() && right.is_string()) || (left.is_list() && right.is_list()))) {
    return joined(left, right, meter);
  }
  if (op == "*" && (left.is_string() || left.is_list()) && right.is_integer()) {
    return repeated(left, right.as_integer(), meter);
  }
  if (op == "*" && left.is_integer() && (right.is_string() || right.is_list())) {
    return repeated(right, left.as_integer(), meter);
  }
  fail_types(op, left, right, meter);
}

Value negated(const Value& value, Meter& meter) {
  if (value.is_float()) return -value.as_number();
  if (!value.is_integer()) meter.fail(fmt::format("cannot negate {}", value.type_name()));
  return integer_arithmetic("-", 0, value.as_integer(), meter);
}

bool compared(std::string_view op, const Value& left, const Value& right, Meter& meter) {
  if (op == "==") return are_equal(left, right, meter);
  if (op == "!=") return !are_equal(left, right, meter);
  if (op == "in") return contains(right, left, meter);
  if (op == "not in") return !contains(right, left, meter);
  const bool unordered = (left.is_float() && std::isnan(left.as_number())) ||
                         (right.is_float() && std::isnan(right.as_number()));
  const int sign = order(left, right, op, meter);
  if (unordered) return false;
  if (op == "<") return sign < 0;
  if (op == "<=") return sign <= 0;
  if (op == ">") return sign > 0;
  return sign >= 0;
}

bool are_equal(const Value& left, const Value& right, Meter& meter) {
  if (left.is_number() && right.is_number()) {
    if (left.is_integer() && right.is_integer()) return left.as_integer() == right.as_integer();
    return left.as_number() == right.as_number();
  }
  if (left.is_string() && right.is_string()) {
    meter.spend(std::min(left.as_string().size(), right.as_string().size()) / 64);
    return left.as_string() == right.as_string();
  }
  if (left.is_list() && right.is_list()) {
    if (left.items().size() != right.items().size()) return false;
    meter.spend(left.items().size());
    return std::equal(left.items().begin(), left.items().end(), right.items().begin(),
                      [&](const Value& a, const Value& b) { return are_equal(a, b, meter); });
  }
  if (left.is_dict() && right.is_dict()) {
    if (left.entries().size() != right.entries().size()) return false;
    meter.spend(left.entries().size() * (1 + right.entries().size() / 8));
    return std::all_of(left.entries().begin(), left.entries().end(), [&](const auto& entry) {
      const Value* other = find_entry(right.entries(), entry.first);
      return other && are_equal(entry.second, *other, meter);
    });
  }
  if (left.as_namespace() && right.as_namespace())
    return *left.as_namespace() == *right.as_namespace();
  if (left.as_function() && right.as_function()) return *left.as_function() == *right.as_function();
  return (left.is_none() && right.is_none()) || (left.is_undefined() && right.is_undefined());
}

bool contains(const Value& container, const Value& item, Meter& meter) {
  if (container.is_undefined()) return false;
  if (container.is_string()) {
    if (!item.is_string()) fail_types("in", item, container, meter);
    meter.spend(container.as_string().size() / 8);
    return find_text(container.as_string(), item.as_string(), 0) != std::string::npos;
  }
  if (container.is_list()) {
    for (const Value& each : container.items()) {
      meter.spend(1);
      if (are_equal(each, item, meter)) return true;
    }
    return false;
  }
  if (container.is_dict()) {
    if (item.is_list() || item.is_dict())
      meter.fail(fmt::format("looks for a {} among keys", item.type_name()));
    meter.spend(container.entries().size() / 8);
    return item.is_string() && find_entry(container.entries(), item.as_string());
  }
  fail_types("in", item, container, meter);
}

std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(),
                             needle.size());  // two-way: linear
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data())
               : std::string_view::npos;
}

}  // namespace tarsier::jinja
