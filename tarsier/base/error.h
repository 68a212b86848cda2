#pragma once

#include <stdexcept>
#include <string>

namespace tarsier {

/// One failure in the three parts every message has: "where: what; hint".
struct ErrorNote {
  std::string
      where;  // file, flag or field: "clip.mp4", "--frames", "config.json: text_config.hidden_size"
  std::string what;  // "no video stream"
  std::string hint;  // "pass a file with a video track"

  /// "where: what; hint", on one line: control characters of untrusted names come out escaped.
  std::string text() const;
};

struct Error : std::runtime_error {
  explicit Error(ErrorNote note);
  const ErrorNote note;
};

struct InputError : Error {
  using Error::Error;
};  // the caller's media, row or request; exit code 5
struct ConfigError : Error {
  using Error::Error;
};  // a flag or a recipe; exit code 2
struct CheckpointError : Error {
  using Error::Error;
};  // a model directory: config, tokenizer, weights; exit code 4
struct ResourceError : Error {
  using Error::Error;
};  // memory, disk, device, network: may pass later; exit code 6
struct InternalError : Error {
  using Error::Error;
};  // a broken promise of ours; exit code 70

/// Checks a promise of our own code, never a user's input. Throws InternalError naming `promise`.
inline void check(bool condition, const char* promise);

[[noreturn]] void throw_broken_promise(const char* promise);

inline void check(bool condition, const char* promise) {
  if (!condition) throw_broken_promise(promise);
}

}  // namespace tarsier
