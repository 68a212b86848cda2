#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "tarsier/base/outcome.h"

namespace tarsier {

/// How an answer is drawn. What is not set is left to the judge: an API's own default.
struct JudgeParams {
  std::optional<double> temperature;       // 0: greedy
  std::optional<double> top_p;             // (0, 1]
  std::optional<std::int64_t> seed;        // at least 0
  std::optional<std::int64_t> max_tokens;  // of the answer
};

/// One question, UTF-8.
struct JudgeRequest {
  std::string system;  // empty: none
  std::string user;
  JudgeParams params;
  std::int64_t attempt = 0;  // which of several equal requests this is; not part of the question,
                             // but a cache keeps their answers apart
};

/// A language model that judges texts (evaluation.md 1.2). Thread-safe.
class ChatJudge {
 public:
  virtual ~ChatJudge() = default;

  /// The answer's text, UTF-8. A note when this request got no answer, or `stop` ended it: another
  /// attempt may fare better. Throws when none would: ConfigError for a URL, key or model that is
  /// refused, InputError for a request nobody can answer, ResourceError for the disk.
  virtual Outcome<std::string> complete(const JudgeRequest& request, std::stop_token stop) = 0;

  /// Which judge this is, on one line: scores of different ids are not comparable.
  virtual std::string id() const = 0;
};

/// What stands in place of an answer that a stop cut off.
inline ErrorNote stopped_note() { return {"judge", "was stopped", ""}; }

}  // namespace tarsier
