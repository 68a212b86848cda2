#include "tarsier/eval/local_judge.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "tarsier/engine/generate.h"

namespace tarsier {
namespace {

constexpr std::int64_t kMostTokens = 2048;
constexpr double kLaterTemperature = 0.7;

SamplingParams sampling_of(const JudgeRequest& request) {
  const JudgeParams& params = request.params;
  SamplingParams sampling;
  sampling.temperature = params.temperature.value_or(request.attempt == 0 ? 0 : kLaterTemperature);
  sampling.top_p = params.top_p.value_or(1);
  sampling.seed = static_cast<std::uint64_t>(params.seed.value_or(request.attempt));
  sampling.max_new_tokens = params.max_tokens;
  return sampling;
}

Conversation conversation_of(const JudgeRequest& request) {
  Conversation conversation;
  if (!request.system.empty()) conversation.push_back({"system", {Part{request.system, nullptr}}});
  conversation.push_back({"user", {Part{request.user, nullptr}}});
  return conversation;
}

}  // namespace

LocalJudge::LocalJudge(std::shared_ptr<const VideoLanguageModel> model, std::string name,
                       const AtenBackendOptions& options)
    : model_(std::move(model)), name_(std::move(name)), backend_(model_->decoder(), options) {}

Outcome<std::string> LocalJudge::complete(const JudgeRequest& request, std::stop_token stop) {
  const c10::InferenceMode inference;
  const std::lock_guard lock(mutex_);
  if (stop.stop_requested()) return stopped_note();
  SamplingParams sampling = sampling_of(request);
  try {
    const ModelInputs inputs = model_->prepare(conversation_of(request));
    const auto tokens = static_cast<std::int64_t>(inputs.prompt.tokens.size());
    if (sampling.max_new_tokens) {
      new_token_limit(model_->info(), tokens, sampling);
    } else {
      const std::int64_t most = model_->info().max_tokens;
      sampling.max_new_tokens = most > tokens ? std::min(kMostTokens, most - tokens) : kMostTokens;
    }
    Completion completion = generate(*model_, backend_, inputs, sampling, {}, stop);
    if (completion.reason == FinishReason::cancelled) return stopped_note();
    return std::move(completion.text);
  } catch (const InputError& error) {  // of this prompt
    return error.note;
  } catch (const ConfigError& error) {  // new tokens that do not fit behind it
    return error.note;
  }
}

}  // namespace tarsier
