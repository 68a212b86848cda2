#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace tarsier {

/// The text of one row and where it stands.
struct RowText {
  std::string text;
  std::string where;                  // "rows.jsonl line 12"
  std::string folder;                 // what its media paths are relative to
  std::int64_t line = 0, offset = 0;  // in its file, from 1 and in bytes; 0 for rows of tars
};

/// Reads the rows of a JSONL file, or of a JSON file that is one list of rows, one at a time: the
/// first character says which. Blank lines are passed over; the text is not parsed. InputError: no
/// such file, a row over the limit, a list that is cut short or goes on behind its end. One thread.
class RowFile {
 public:
  static constexpr std::int64_t kMaxRowBytes = 64 << 20;

  explicit RowFile(const std::filesystem::path& file);
  std::optional<RowText> next();

 private:
  std::optional<RowText> next_line();
  std::optional<RowText> next_item();
  bool get(char& c);
  RowText row(std::string text, std::int64_t line, std::int64_t offset) const;
  [[noreturn]] void fail(const char* what, const char* hint) const;

  std::ifstream stream_;
  std::string name_, folder_;
  std::int64_t line_ = 1, offset_ = 0;  // of the next character
  bool is_list_ = false, at_end_ = false;
};

}  // namespace tarsier
