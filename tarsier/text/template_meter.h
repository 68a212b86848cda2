#pragma once

#include <cstdint>
#include <string>

#include "tarsier/text/chat_template.h"
#include "tarsier/text/template_value.h"

namespace tarsier::jinja {

/// Throws CheckpointError "NAME: line N: what; hint".
[[noreturn]] void fail_at(const std::string& name, int line, std::string what, std::string hint);

/// Counts what one rendering costs, and knows where it is, for messages. One thread.
class Meter {
 public:
  Meter(const std::string& name, TemplateBudget budget) : name_(name), budget_(budget) {}

  void at_line(int line) { line_ = line; }
  void spend(std::size_t steps) {
    steps_ += static_cast<std::int64_t>(steps);
    if (steps_ > budget_.steps) fail_budget("steps", budget_.steps);
  }
  /// For `added` bytes about to be written into a string that will then hold `total`.
  void spend_bytes(std::size_t added, std::size_t total) {
    if (static_cast<std::int64_t>(total) > budget_.output_bytes)
      fail_budget("bytes of text", budget_.output_bytes);
    spend(added / 64);
  }
  void spend_bytes(std::size_t bytes) { spend_bytes(bytes, bytes); }
  /// A value about to be put into a list, dict or namespace: must not be a namespace, nor nested
  /// too deep.
  const Value& storable(const Value& value);

  [[noreturn]] void fail(std::string what, std::string hint = "mend the template") const;
  [[noreturn]] void fail_budget(const char* of_what, std::int64_t limit) const;

  const std::string& name() const { return name_; }

 private:
  const std::string& name_;
  const TemplateBudget budget_;
  std::int64_t steps_ = 0;
  int line_ = 0;
};

}  // namespace tarsier::jinja
