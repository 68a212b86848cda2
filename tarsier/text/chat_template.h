#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tarsier {

/// What rendering may cost before it ends in an error.
struct TemplateBudget {
  std::int64_t steps =
      1'000'000;            // syntax nodes visited; 3 a turn of a loop, 1 for 64 bytes copied
  std::int64_t depth = 64;  // nesting of blocks and expressions
  std::int64_t output_bytes = 16 << 20;  // of the text, and of any string made on the way
};

/// A checkpoint's chat template: the subset of Jinja that chat templates use, as `transformers`
/// renders it (trim_blocks and lstrip_blocks on, sandboxed). It computes text only: no files, no
/// code, no clock. Immutable and thread-safe.
///
/// Statements: for (with else, if, unpacking and `loop`), if / elif / else, set, generation,
/// comments. Expressions: literals, lists, dicts, attributes, indexing, slices, + - * / // % ~,
/// comparisons, in, and / or / not, inline if, `is` tests, filters, a few string and dict methods,
/// range, namespace, raise_exception.
class ChatTemplate {
 public:
  /// `name` is the file in messages. CheckpointError names whatever is outside the subset, and its
  /// line.
  static ChatTemplate parse(std::string source, std::string name, TemplateBudget budget = {});

  /// Renders with the top-level names of `variables` (an object: messages, add_generation_prompt,
  /// ...). Objects are walked and written in the order nlohmann::json keeps, which is that of their
  /// keys. InputError with the template's own words when it calls raise_exception, or when a string
  /// is not UTF-8; CheckpointError naming template and line when it cannot be rendered or exceeds
  /// the budget.
  std::string render(const nlohmann::json& variables) const;

  const std::string& name() const;

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

}  // namespace tarsier
