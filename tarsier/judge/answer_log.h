#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace tarsier {

/// Texts by key, in DIR/answers.jsonl: one line {"key", "judge", "text"} for each, only ever
/// appended to. A line is there whole or not at all: a process that is killed leaves at most the
/// beginning of one, which the next one cuts off. Thread-safe; memory holds the keys alone.
class AnswerLog {
 public:
  enum class Access { read, append };

  /// With `append` makes the folder and keeps other processes out: ConfigError when one is in.
  /// InputError naming the line for a file that is no such log; for `read`, without one, an empty
  /// log. ResourceError for the disk.
  AnswerLog(const std::filesystem::path& folder, Access access);
  ~AnswerLog();
  AnswerLog(const AnswerLog&) = delete;
  AnswerLog& operator=(const AnswerLog&) = delete;

  /// `key`: 64 lower-case hexadecimal digits. InputError for a line that is damaged.
  std::optional<std::string> find(const std::string& key) const;

  /// Keeps a text, UTF-8, unless the key has one already; what stands there then. On return the
  /// line is with the operating system, where killing the process cannot reach it.
  std::string keep(const std::string& key, const std::string& judge, const std::string& text);

  std::int64_t size() const;

 private:
  struct Place {
    std::int64_t offset = 0, bytes = 0, line = 0;
  };
  void read_places(bool cut_the_rest);
  std::string text_at(const std::string& key, const Place& place) const;
  [[noreturn]] void refuse(std::int64_t line, const std::string& what) const;

  std::filesystem::path file_;
  int descriptor_ = -1;
  mutable std::mutex mutex_;  // of what follows
  std::unordered_map<std::string, Place> places_;
  std::int64_t end_ = 0, lines_ = 0;
};

}  // namespace tarsier
