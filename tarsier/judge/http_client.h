#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace tarsier {

struct HttpOptions {
  std::string url;                            // http or https
  std::vector<std::string> headers;           // "Name: value"
  std::chrono::milliseconds timeout{60'000};  // of one request, from connecting to the last byte
  std::int64_t max_bytes = 4 << 20;           // of an answer's body
};

struct HttpAnswer {
  std::int64_t status = 0;
  std::string body;  // any bytes
};

enum class HttpFailure { timed_out, unreachable, too_large, stopped };
struct HttpProblem {
  HttpFailure kind;
  std::string what;  // "Connection refused"
};

/// Posts JSON to one URL, over libcurl. Redirects are not followed, and a proxy of the environment
/// is used for https alone, so headers reach no other host. Thread-safe; connections are kept for
/// the next request.
class HttpClient {
 public:
  /// ConfigError for a URL that is none, is not http or https, or names a user.
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// A stop is heard within a second or so.
  std::variant<HttpAnswer, HttpProblem> post(const std::string& body, std::stop_token stop);

 private:
  struct Connections;
  HttpOptions options_;
  std::unique_ptr<Connections> connections_;
};

/// `url` with "/chat/completions" behind it, before a query, unless its path ends so; one without
/// a path gets "/v1" before that. ConfigError as HttpClient.
std::string chat_endpoint(const std::string& url);

/// True for an http URL to another machine: what is sent can be read on the way.
bool is_in_the_clear(const std::string& url);

}  // namespace tarsier
