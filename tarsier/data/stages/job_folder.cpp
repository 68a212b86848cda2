#include "tarsier/data/stages/job_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"

namespace tarsier {
namespace fs = std::filesystem;
namespace {

std::string read_whole(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

[[noreturn]] void refuse_disk(const fs::path& file) {
  throw ResourceError({file.string(), std::string("cannot be written: ") + std::strerror(errno),
                       "free disk space and run the same command again"});
}

}  // namespace

std::string job_settings(const std::string& stage, const std::vector<fs::path>& inputs,
                         const std::string& settings) {
  nlohmann::ordered_json json{{"stage", stage}, {"inputs", nlohmann::ordered_json::array()}};
  for (const fs::path& input : inputs) {
    json["inputs"].push_back({{"file", fs::absolute(input).lexically_normal().string()},
                              {"bytes", fs::file_size(input)},
                              {"sha256", sha256_of_file(input)}});
  }
  json["settings"] = nlohmann::ordered_json::parse(settings);
  return json.dump(2) + "\n";
}

void claim_job_folder(const fs::path& folder, const std::string& settings) {
  fs::create_directories(folder);
  std::vector<fs::path> left_over;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename().string().find(".tmp-") != std::string::npos)
      left_over.push_back(entry.path());
  }
  for (const fs::path& file : left_over) fs::remove(file);
  const fs::path file = folder / "settings.json";
  if (fs::exists(file)) {
    if (read_whole(file) == settings) return;
    throw ConfigError(
        {"--out", fmt::format("{} holds the output of other settings or inputs", folder.string()),
         "use another folder, or remove this one"});
  }
  if (!fs::is_empty(folder))
    throw ConfigError({"--out", fmt::format("{} holds other files", folder.string()),
                       "use a folder that is new or empty"});
  write_file_atomically(file, settings);
}

ProgressLog::ProgressLog(const fs::path& file) : file_(file) {
  std::string text;
  if (fs::exists(file)) text = read_whole(file);
  const std::size_t whole = text.rfind('\n') + 1;  // 0 when there is no line
  for (std::size_t begin = 0; begin < whole;) {
    const std::size_t end = text.find('\n', begin);
    earlier_.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0 || ::ftruncate(descriptor_, static_cast<off_t>(whole)) != 0 ||
      ::lseek(descriptor_, 0, SEEK_END) < 0)
    refuse_disk(file);
}

ProgressLog::~ProgressLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ProgressLog::append(const std::string& line) { waiting_ += line + "\n"; }

void ProgressLog::flush() {
  std::size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t count =
        ::write(descriptor_, waiting_.data() + written, waiting_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse_disk(file_);
    written += static_cast<std::size_t>(count);
  }
  waiting_.clear();
  if (::fdatasync(descriptor_) != 0) refuse_disk(file_);
}

void ProgressLog::remove() { fs::remove(file_); }

}  // namespace tarsier
