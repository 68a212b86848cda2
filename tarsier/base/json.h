#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// Which error a wrong value is: who has to mend it.
enum class JsonOwner { config, checkpoint, input };

/// Typed, read-only reading of one value of a JSON document. Every failure names file and path:
/// "config.json: text_config.hidden_size: is a string, expected an integer; ...".
/// Cheap to copy; keeps the document alive. Thread-safe.
class JsonView {
 public:
  JsonView(std::shared_ptr<const nlohmann::json> document, std::string file, JsonOwner owner);

  bool has(std::string_view key) const;                      // false when absent or null
  JsonView at(std::string_view key) const;                   // throws when absent
  std::optional<JsonView> find(std::string_view key) const;  // nullopt when absent or null
  JsonView at(std::int64_t index) const;
  std::int64_t size() const;              // of an array or object
  std::vector<std::string> keys() const;  // of an object, sorted

  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;
  bool is_integer() const;
  bool is_bool() const;
  bool is_null() const;

  std::int64_t as_int() const;
  std::int64_t as_int(std::int64_t low, std::int64_t high) const;  // throws outside [low, high]
  double as_double() const;                                        // finite
  bool as_bool() const;
  const std::string& as_string() const;
  std::vector<std::int64_t> as_ints() const;

  std::int64_t int_or(std::string_view key, std::int64_t otherwise) const;
  double double_or(std::string_view key, double otherwise) const;
  bool bool_or(std::string_view key, bool otherwise) const;
  std::string string_or(std::string_view key, std::string otherwise) const;

  /// Throws the owner's error about this value: "file: path: what; hint".
  [[noreturn]] void fail(std::string what, std::string hint) const;

  const nlohmann::json& raw() const { return *value_; }
  const std::string& path() const { return path_; }  // "text_config.hidden_size", "" at the top
  const std::string& file() const { return file_; }

 private:
  JsonView(const JsonView& parent, const nlohmann::json* value, std::string path);

  std::shared_ptr<const nlohmann::json> document_;
  const nlohmann::json* value_;
  std::string file_;
  std::string path_;
  JsonOwner owner_;
};

/// Parses JSON text. Refuses duplicate keys, more than 64 levels, and anything after the value.
/// With `comments`, // and /* */ comments and trailing commas are allowed (recipes are JSONC).
JsonView parse_json(std::string_view text, std::string file, JsonOwner owner,
                    bool comments = false);

/// Reads and parses a whole file of at most `max_bytes`; `file` in messages is its file name.
JsonView read_json(const std::filesystem::path& path, JsonOwner owner, bool comments = false,
                   std::int64_t max_bytes = 256 << 20);

/// Throws the error type that belongs to `owner`.
[[noreturn]] void throw_for(JsonOwner owner, std::string where, std::string what, std::string hint);

}  // namespace tarsier
