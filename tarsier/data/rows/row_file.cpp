#include "tarsier/data/rows/row_file.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

RowFile::RowFile(const std::filesystem::path& file)
    : stream_(file, std::ios::binary),
      name_(file.filename().string()),
      folder_(file.parent_path().string()) {
  if (!stream_ || std::filesystem::is_directory(file))
    throw InputError({file.string(), "cannot be opened", "check the path and its permissions"});
  for (int c = stream_.peek(); c != std::char_traits<char>::eof(); c = stream_.peek()) {
    is_list_ = c == '[';
    if (!is_space(static_cast<char>(c))) break;
    char space = 0;
    get(space);
  }
  char bracket = 0;
  if (is_list_) get(bracket);
}

std::optional<RowText> RowFile::next() { return is_list_ ? next_item() : next_line(); }

RowText RowFile::row(std::string text, std::int64_t line, std::int64_t offset) const {
  return {std::move(text), fmt::format("{} line {}", name_, line), folder_, line, offset};
}

void RowFile::fail(const char* what, const char* hint) const {
  throw InputError({fmt::format("{} line {}", name_, line_), what, hint});
}

bool RowFile::get(char& c) {
  if (!stream_.get(c)) {
    if (stream_.bad()) fail("cannot be read", "check the disk");
    return false;
  }
  ++offset_;
  if (c == '\n') ++line_;
  return true;
}

std::optional<RowText> RowFile::next_line() {
  std::string text;
  std::int64_t begin = offset_;
  char c = 0;
  while (get(c)) {
    if (c == '\n') {
      if (text.find_first_not_of(" \t\r") != std::string::npos) return row(text, line_ - 1, begin);
      text.clear();
      begin = offset_;
      continue;
    }
    text += c;
    if (static_cast<std::int64_t>(text.size()) > kMaxRowBytes)
      fail("is over 64 MiB long", "give one row a line");
  }
  if (text.find_first_not_of(" \t\r") == std::string::npos) return std::nullopt;
  return row(text, line_, begin);
}

// The next value of the list, by its brackets alone: what is wrong inside it is its own error.
std::optional<RowText> RowFile::next_item() {
  if (at_end_) return std::nullopt;
  char c = 0;
  do {
    if (!get(c)) fail("ends inside its list", "the file may be cut");
  } while (is_space(c) || c == ',');
  if (c == ']') {
    at_end_ = true;
    while (get(c)) {
      if (!is_space(c)) fail("goes on behind the end of its list", "keep one list in the file");
    }
    return std::nullopt;
  }
  const std::int64_t line = line_, begin = offset_ - 1;
  std::string text;
  int depth = 0;
  bool in_string = false;
  for (;;) {
    text += c;
    if (static_cast<std::int64_t>(text.size()) > kMaxRowBytes)
      fail("is in a row of over 64 MiB", "the list may not be closed");
    if (in_string) {
      if (c == '\\') {
        if (!get(c)) fail("ends inside its list", "the file may be cut");
        text += c;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    const int next = stream_.peek();
    if (depth <= 0 && !in_string &&
        (text.front() == '{' || text.front() == '[' || next == ',' || next == ']'))
      return row(std::move(text), line, begin);
    if (!get(c)) fail("ends inside its list", "the file may be cut");
  }
}

}  // namespace tarsier
