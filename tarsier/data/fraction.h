#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tarsier {

/// An exact rational number, in lowest terms with a denominator above 0: for rules with a threshold
/// that doubles would miss, as (0.7 - 0.4) + (0.7 - 0.7) does 0.3. Comparing is exact for all. A
/// sum that does not fit 64 bits is a broken promise (InternalError): bound what is read instead.
class Fraction {
 public:
  Fraction(std::int64_t numerator = 0, std::int64_t denominator = 1);

  std::int64_t numerator() const { return numerator_; }
  std::int64_t denominator() const { return denominator_; }
  double value() const;
  std::string text() const;  // "3/10", "2"

  friend bool operator==(const Fraction&, const Fraction&) = default;
  friend std::strong_ordering operator<=>(const Fraction& a, const Fraction& b);
  friend Fraction operator+(const Fraction& a, const Fraction& b);
  friend Fraction operator-(const Fraction& a, const Fraction& b);

 private:
  std::int64_t numerator_, denominator_;
};

/// The largest integer that is not above `factor` times `fraction`.
std::int64_t floor_times(std::int64_t factor, const Fraction& fraction);

/// A decimal number as it is typed, exactly: "0.3" is 3/10. ConfigError naming `flag` unless it is
/// up to 9 digits, and up to 9 more behind a point.
Fraction parse_decimal(std::string_view text, const std::string& flag);

}  // namespace tarsier
