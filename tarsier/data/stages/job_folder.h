#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tarsier/data/formats/format.h"

namespace tarsier {

/// A job's settings with the name, size and SHA-256 of each input, as JSON text: what its output is
/// a function of.
std::string job_settings(const std::string& stage, const std::vector<std::filesystem::path>& inputs,
                         const std::string& settings);

/// The folder a job writes to. Makes it, clears away temporary files of a killed run, and writes
/// settings.json; ConfigError when another job's stand there, or files without any.
void claim_job_folder(const std::filesystem::path& folder, const std::string& settings);

/// A log of lines that survives a kill: a line is there whole or not at all. One thread.
class ProgressLog {
 public:
  /// Reads what an earlier run left; a line that was cut is removed.
  explicit ProgressLog(const std::filesystem::path& file);
  ~ProgressLog();
  ProgressLog(const ProgressLog&) = delete;
  ProgressLog& operator=(const ProgressLog&) = delete;

  const std::vector<std::string>& earlier() const { return earlier_; }
  void append(const std::string& line);  // without a line break
  void flush();                          // to the disk
  void remove();                         // the job is done

 private:
  std::filesystem::path file_;
  std::vector<std::string> earlier_;
  std::string waiting_;
  int descriptor_ = -1;
};

}  // namespace tarsier
