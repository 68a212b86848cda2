#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "tarsier/data/stages/job_folder.h"
#include "tarsier/train/preference/preference_loss.h"

namespace tarsier {

/// Log-probabilities of pairs under one frozen policy, in a file that survives a kill: what was
/// flushed is there again. Any thread.
class ReferenceCache {
 public:
  /// `policy` says whose they are: its weights and how it computes. CheckpointError where the file
  /// holds another's, or what is no log of this kind.
  ReferenceCache(const std::filesystem::path& file, const std::string& policy);
  std::optional<AnswerLogProbs> find(const std::string& key) const;
  void add(const std::string& key, const AnswerLogProbs& log_probs);
  void flush();

 private:
  mutable std::mutex mutex_;
  ProgressLog log_;
  std::map<std::string, AnswerLogProbs> known_;
};

}  // namespace tarsier
