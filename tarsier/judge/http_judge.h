#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "tarsier/judge/chat_judge.h"
#include "tarsier/judge/http_client.h"

namespace tarsier {

struct HttpJudgeSettings {
  std::string url;    // of the API ("http://localhost:8000/v1") or of its /chat/completions
  std::string model;  // as the API names it
  std::string key;    // sent as a bearer token to that URL alone; empty: none
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds pause{5'000};  // before the same request is made again
};

/// A judge behind an HTTP API of the shape of OpenAI's /v1/chat/completions.
///
/// A time-out and the statuses 408, 429, 502, 503 and 504 are waited out and asked again, without
/// limit, until `stop` (evaluation.md 2.1). 401, 403, 404, 405 and redirects are ConfigErrors. All
/// else costs an attempt: other statuses, no connection (after a pause), an answer that is too
/// large, not JSON or without text.
class HttpJudge : public ChatJudge {
 public:
  /// ConfigError as chat_endpoint, or without a model. Warns when the key goes out in the clear.
  explicit HttpJudge(HttpJudgeSettings settings);

  Outcome<std::string> complete(const JudgeRequest& request, std::stop_token stop) override;
  std::string id() const override;  // "MODEL at URL"

 private:
  bool wait(const std::string& why, const std::stop_token& stop);
  std::string words_of(const std::string& body) const;

  HttpJudgeSettings settings_;
  std::string endpoint_;
  HttpClient client_;
  std::atomic<std::uint64_t> waits_ = 0;
};

/// The key in the first line of a file. ConfigError when it cannot be read, is empty, or is no
/// header value; the message does not show it.
std::string read_api_key(const std::string& file);
/// The key in an environment variable; empty when it is not set. ConfigError as above.
std::string api_key_of_environment(const char* variable);

}  // namespace tarsier
