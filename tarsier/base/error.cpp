#include "tarsier/base/error.h"

#include <fmt/format.h>

namespace tarsier {
namespace {

std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace

std::string ErrorNote::text() const {
  std::string line = on_one_line(where) + ": " + on_one_line(what);
  if (!hint.empty()) line += "; " + on_one_line(hint);
  return line;
}

Error::Error(ErrorNote error_note)
    : std::runtime_error(error_note.text()), note(std::move(error_note)) {}

void throw_broken_promise(const char* promise) {
  throw InternalError(
      {"tarsier", std::string("broken promise: ") + promise,
       "this is a bug of ours; please report it with the output of `tarsier doctor`"});
}

}  // namespace tarsier
