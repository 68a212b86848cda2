#include "tarsier/judge/answer_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {
namespace {

constexpr std::string_view kBegin = R"({"key":")";
constexpr std::size_t kKeyDigits = 64;

bool is_key(std::string_view text) {
  return text.size() == kKeyDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

[[noreturn]] void refuse_disk(const std::filesystem::path& file, const char* what) {
  throw ResourceError({file.string(), std::string(what) + ": " + std::strerror(errno),
                       "check the disk and run the same command again"});
}

}  // namespace

AnswerLog::AnswerLog(const std::filesystem::path& folder, Access access)
    : file_(folder / "answers.jsonl") {
  const bool appends = access == Access::append;
  if (appends) create_directories_durably(folder);
  descriptor_ = ::open(file_.c_str(), (appends ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    if (!appends && errno == ENOENT) return;
    refuse_disk(file_, "cannot be opened");
  }
  try {
    if (appends && ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) refuse_disk(file_, "cannot be locked");
      throw ConfigError({file_.string(), "another process is writing to it",
                         "wait for it, or give each its own folder"});
    }
    read_places(appends);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

AnswerLog::~AnswerLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AnswerLog::refuse(std::int64_t line, const std::string& what) const {
  throw InputError({fmt::format("{} line {}", file_.string(), line), what,
                    "remove the line, or the whole cache"});
}

// Only the ends of each line are looked at: all of it is read when it is asked for.
void AnswerLog::read_places(bool cut_the_rest) {
  std::ifstream stream(file_, std::ios::binary);
  if (!stream) refuse_disk(file_, "cannot be read");
  for (std::string line; std::getline(stream, line) && !stream.eof();) {  // eof: cut, no line end
    ++lines_;
    const std::string_view text(line);
    const bool whole =
        text.starts_with(kBegin) && text.ends_with('}') &&
        text.substr(kBegin.size() + std::min(kKeyDigits, text.size() - kBegin.size()))
            .starts_with("\",");
    if (!whole || !is_key(text.substr(kBegin.size(), kKeyDigits)))
      refuse(lines_, "is no line of a judge's answers");
    const auto bytes = static_cast<std::int64_t>(line.size());
    places_.try_emplace(line.substr(kBegin.size(), kKeyDigits), Place{end_, bytes, lines_});
    end_ += bytes + 1;
  }
  if (stream.bad()) refuse_disk(file_, "cannot be read");
  if (cut_the_rest && ::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0)
    refuse_disk(file_, "cannot be cut to its whole lines");
}

std::string AnswerLog::text_at(const std::string& key, const Place& place) const {
  std::string line(static_cast<std::size_t>(place.bytes), '\0');
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t count = ::pread(descriptor_, line.data() + done, line.size() - done,
                                  static_cast<off_t>(place.offset) + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) refuse_disk(file_, "cannot be read");
    done += static_cast<std::size_t>(count);
  }
  const JsonView json =
      parse_json(line, fmt::format("{} line {}", file_.string(), place.line), JsonOwner::input);
  if (json.at("key").as_string() != key) refuse(place.line, "has another key than it had");
  return json.at("text").as_string();
}

std::optional<std::string> AnswerLog::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  return text_at(key, found->second);
}

std::string AnswerLog::keep(const std::string& key, const std::string& judge,
                            const std::string& text) {
  check(is_key(key), "a key is a SHA-256 in hexadecimal");
  const std::string line =
      nlohmann::ordered_json{{"key", key}, {"judge", judge}, {"text", text}}.dump() + "\n";
  const std::lock_guard lock(mutex_);
  if (const auto found = places_.find(key); found != places_.end())
    return text_at(key, found->second);
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t count = ::pwrite(descriptor_, line.data() + done, line.size() - done,
                                   static_cast<off_t>(end_) + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int reason = errno;
      if (::ftruncate(descriptor_, static_cast<off_t>(end_)) == 0) errno = reason;
      refuse_disk(file_, "cannot be written");
    }
    done += static_cast<std::size_t>(count);
  }
  places_.emplace(key, Place{end_, static_cast<std::int64_t>(line.size()) - 1, ++lines_});
  end_ += static_cast<std::int64_t>(line.size());
  return text;
}

std::int64_t AnswerLog::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(places_.size());
}

}  // namespace tarsier
