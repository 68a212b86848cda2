#include "tarsier/data/fraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

__extension__ using Wide = __int128;  // holds any product of two of 64 bits

std::int64_t narrow(Wide value) {
  const auto narrowed = static_cast<std::int64_t>(value);
  check(static_cast<Wide>(narrowed) == value, "a fraction's terms fit 64 bits");
  return narrowed;
}

Wide greatest_divisor(Wide a, Wide b) {
  while (b != 0) a = std::exchange(b, a % b);
  return a < 0 ? -a : a;
}

Fraction reduced(Wide numerator, Wide denominator) {
  const Wide divisor = greatest_divisor(numerator, denominator);
  return {narrow(numerator / divisor), narrow(denominator / divisor)};
}

}  // namespace

Fraction::Fraction(std::int64_t numerator, std::int64_t denominator) {
  check(denominator != 0, "a fraction's denominator is not 0");
  const Wide divisor = greatest_divisor(numerator, denominator) * (denominator < 0 ? -1 : 1);
  numerator_ = narrow(numerator / divisor);
  denominator_ = narrow(denominator / divisor);
}

double Fraction::value() const {
  return static_cast<double>(numerator_) / static_cast<double>(denominator_);
}

std::string Fraction::text() const {
  return denominator_ == 1 ? fmt::format("{}", numerator_)
                           : fmt::format("{}/{}", numerator_, denominator_);
}

std::strong_ordering operator<=>(const Fraction& a, const Fraction& b) {
  const Wide left = static_cast<Wide>(a.numerator_) * b.denominator_;
  const Wide right = static_cast<Wide>(b.numerator_) * a.denominator_;
  if (left == right) return std::strong_ordering::equal;
  return left < right ? std::strong_ordering::less : std::strong_ordering::greater;
}

Fraction operator+(const Fraction& a, const Fraction& b) {
  // Over the least common denominator, so that the wide products hold.
  const std::int64_t divisor = std::gcd(a.denominator_, b.denominator_);
  const std::int64_t left = b.denominator_ / divisor, right = a.denominator_ / divisor;
  return reduced(static_cast<Wide>(a.numerator_) * left + static_cast<Wide>(b.numerator_) * right,
                 static_cast<Wide>(a.denominator_) * left);
}

Fraction operator-(const Fraction& a, const Fraction& b) {
  return a + Fraction(-b.numerator_, b.denominator_);
}

std::int64_t floor_times(std::int64_t factor, const Fraction& fraction) {
  const Wide product = static_cast<Wide>(factor) * fraction.numerator();
  const Wide quotient = product / fraction.denominator();
  return narrow(quotient - (product % fraction.denominator() < 0 ? 1 : 0));
}

Fraction parse_decimal(std::string_view text, const std::string& flag) {
  constexpr std::size_t kMostDigits = 9;
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point),
                         rest = point < text.size() ? text.substr(point + 1) : "";
  const bool one_part = point == text.size();
  const auto is_part = [&](std::string_view digits) {
    return !digits.empty() && digits.size() <= kMostDigits &&
           digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!is_part(whole) || (!one_part && !is_part(rest)))
    throw ConfigError({flag, fmt::format("'{}' is not a decimal number", text),
                       "give one as 0.3, with at most 9 digits behind the point"});
  std::int64_t numerator = 0, denominator = 1;
  for (const char digit : whole) numerator = 10 * numerator + (digit - '0');
  for (const char digit : rest) {
    numerator = 10 * numerator + (digit - '0');
    denominator *= 10;
  }
  return {numerator, denominator};
}

}  // namespace tarsier
