#include "tarsier/judge/http_judge.h"

#include <fmt/format.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

constexpr std::size_t kMostWords = 300;  // of a service's own message

HttpOptions options_of(const HttpJudgeSettings& settings, const std::string& endpoint) {
  HttpOptions options;
  options.url = endpoint;
  options.headers = {"Content-Type: application/json", "Accept: application/json", "Expect:"};
  if (!settings.key.empty()) options.headers.push_back("Authorization: Bearer " + settings.key);
  options.timeout = settings.timeout;
  return options;
}

std::string body_of(const std::string& model, const JudgeRequest& request) {
  require_utf8(request.system, "judge request");
  require_utf8(request.user, "judge request");
  nlohmann::ordered_json body{{"model", model}, {"messages", nlohmann::ordered_json::array()}};
  if (!request.system.empty())
    body["messages"].push_back({{"role", "system"}, {"content", request.system}});
  body["messages"].push_back({{"role", "user"}, {"content", request.user}});
  const JudgeParams& params = request.params;
  if (params.temperature) body["temperature"] = *params.temperature;
  if (params.top_p) body["top_p"] = *params.top_p;
  if (params.seed) body["seed"] = *params.seed;
  if (params.max_tokens) body["max_tokens"] = *params.max_tokens;
  return body.dump();
}

bool passes_by_itself(std::int64_t status) {
  return status == 408 || status == 429 || status == 502 || status == 503 || status == 504;
}

// What the API is asked wrongly, however often.
bool stays_refused(std::int64_t status) {
  return status == 401 || status == 403 || status == 404 || status == 405;
}

Outcome<std::string> text_of(const std::string& body, const std::string& where) {
  try {
    const JsonView answer = parse_json(body, where, JsonOwner::input);
    const std::string& text = answer.at("choices").at(0).at("message").at("content").as_string();
    return text;
  } catch (const InputError& error) {
    return error.note;
  }
}

std::string checked_key(std::string key, const std::string& where) {
  if (key.empty()) throw ConfigError({where, "holds no key", "put the API's key there"});
  for (const char c : key) {
    if (c < 0x21 || c > 0x7e)
      throw ConfigError({where, "holds more than a key: a blank, or a character that is not ASCII",
                         "put the key alone on its first line"});
  }
  return key;
}

}  // namespace

HttpJudge::HttpJudge(HttpJudgeSettings settings)
    : settings_(std::move(settings)),
      endpoint_(chat_endpoint(settings_.url)),
      client_(options_of(settings_, endpoint_)) {
  if (settings_.model.empty())
    throw ConfigError({endpoint_, "no model is named for it", "give the name the API knows it by"});
  if (!settings_.key.empty() && is_in_the_clear(endpoint_))
    log_warning(fmt::format("{}: the key goes there unencrypted; use https", endpoint_));
}

std::string HttpJudge::id() const { return settings_.model + " at " + endpoint_; }

// The service's own message, or the beginning of what it said.
std::string HttpJudge::words_of(const std::string& body) const {
  std::string words = body;
  try {
    words = parse_json(body, "", JsonOwner::input).at("error").at("message").as_string();
  } catch (const InputError&) {
  }
  if (!settings_.key.empty()) {
    constexpr std::string_view kInstead = "(the key)";
    for (std::size_t at = words.find(settings_.key); at != std::string::npos;
         at = words.find(settings_.key, at + kInstead.size()))
      words.replace(at, settings_.key.size(), kInstead);
  }
  if (words.size() > kMostWords) words = words.substr(0, kMostWords) + "...";
  return lossy_utf8(words);
}

// False when the stop came first.
bool HttpJudge::wait(const std::string& why, const std::stop_token& stop) {
  const std::uint64_t count = ++waits_;
  if ((count & (count - 1)) == 0)  // many workers meet the same limit: one line for 1, 2, 4, 8 ...
    log_warning(ErrorNote{
        endpoint_, why,
        fmt::format("asking again in {} s", std::chrono::duration<double>(settings_.pause).count())}
                    .text());
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, settings_.pause, [] { return false; });
  return !stop.stop_requested();
}

Outcome<std::string> HttpJudge::complete(const JudgeRequest& request, std::stop_token stop) {
  const std::string body = body_of(settings_.model, request);
  while (!stop.stop_requested()) {
    const auto result = client_.post(body, stop);
    if (const auto* problem = std::get_if<HttpProblem>(&result)) {
      if (problem->kind == HttpFailure::stopped) break;
      if (problem->kind == HttpFailure::timed_out) {
        if (!wait("timed out: " + problem->what, stop)) break;
        continue;
      }
      if (problem->kind == HttpFailure::too_large)
        return ErrorNote{endpoint_, "its answer is larger than anything a judge says", ""};
      if (!wait("gives no answer: " + problem->what, stop)) break;
      return ErrorNote{endpoint_, "gives no answer: " + problem->what, "is it running?"};
    }
    const auto& [status, said] = std::get<HttpAnswer>(result);
    if (status == 200) return text_of(said, endpoint_);
    const std::string what = fmt::format("HTTP {}: {}", status, words_of(said));
    if (passes_by_itself(status)) {
      if (!wait(what, stop)) break;
      continue;
    }
    if (status >= 300 && status < 400)
      throw ConfigError({endpoint_,
                         fmt::format("HTTP {}: a redirect, which is not followed", status),
                         "give the URL it leads to"});
    if (stays_refused(status))
      throw ConfigError({endpoint_, what, "check the URL, the model's name and the key"});
    return ErrorNote{endpoint_, what, ""};
  }
  return stopped_note();
}

std::string read_api_key(const std::string& file) {
  std::ifstream stream(file);
  std::string key;
  if (!stream) throw ConfigError({file, "cannot be opened", "check the path and its permissions"});
  std::getline(stream, key);
  if (key.ends_with('\r')) key.pop_back();
  return checked_key(std::move(key), file);
}

std::string api_key_of_environment(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return {};
  return checked_key(value, variable);
}

}  // namespace tarsier
