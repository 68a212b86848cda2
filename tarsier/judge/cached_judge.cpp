#include "tarsier/judge/cached_judge.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

template <class Value>
std::string set_or_not(const std::optional<Value>& value) {
  return value ? fmt::format("{}", *value) : "unset";
}

}  // namespace

std::string judge_request_key(const std::string& id, const JudgeRequest& request) {
  const JudgeParams& params = request.params;
  std::string all = "tarsier judge request 1\n";
  for (const std::string& part :
       {id, request.system, request.user, set_or_not(params.temperature), set_or_not(params.top_p),
        set_or_not(params.seed), set_or_not(params.max_tokens), fmt::format("{}", request.attempt)})
    all += fmt::format("{}:{}\n", part.size(), part);  // lengths keep the parts apart
  return sha256_hex(std::as_bytes(std::span(all)));
}

CachedJudge::CachedJudge(std::shared_ptr<ChatJudge> judge, const std::filesystem::path& folder,
                         CacheUse use)
    : judge_(std::move(judge)),
      folder_(folder),
      use_(use),
      log_(folder, use == CacheUse::offline ? AnswerLog::Access::read : AnswerLog::Access::append) {
}

Outcome<std::string> CachedJudge::complete(const JudgeRequest& request, std::stop_token stop) {
  const std::string id = judge_->id();
  const std::string key = judge_request_key(id, request);
  if (std::optional<std::string> kept = log_.find(key)) return std::move(*kept);
  if (use_ == CacheUse::offline)
    throw InputError({folder_.string(), fmt::format("holds no answer {} of {}", key, id),
                      "run once without --offline"});
  Outcome<std::string> answer = judge_->complete(request, std::move(stop));
  if (const auto* text = std::get_if<std::string>(&answer)) {
    if (first_invalid_utf8(*text)) return ErrorNote{id, "its answer is not UTF-8", ""};
    return log_.keep(key, id, *text);
  }
  return answer;
}

}  // namespace tarsier
