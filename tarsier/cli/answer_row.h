#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tarsier/base/error.h"
#include "tarsier/cli/clip.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/engine/generate.h"

namespace tarsier {

/// The part every --json row of an answer about a clip has (product.md 7): v, id, source, sha256,
/// status, model, revision, params, frames, template, t_decode_s.
nlohmann::ordered_json answer_row(const MediaClip& clip, const SeenMedia& seen,
                                  const ModelSession& session, const SamplingParams& sampling);

/// What of it is the file's own: source, sha256, frames.
nlohmann::ordered_json seen_row(const MediaClip& clip, const SeenMedia& seen);

/// Tokens in and out, in the words of the HTTP API; `media_tokens` of them stand for media.
nlohmann::ordered_json usage_of(const Completion& completion, std::int64_t media_tokens);
nlohmann::ordered_json usage_of(const Completion& completion, const SeenMedia& seen);

/// A row without a caption, for one input of several that failed.
nlohmann::ordered_json failed_row(const std::string& path, std::string_view code,
                                  const ErrorNote& note);

/// One line. Names that are not UTF-8 come out with U+FFFD.
std::string line_of(const nlohmann::ordered_json& row);

/// Seconds with milliseconds, for JSON.
double to_milliseconds(double seconds);

}  // namespace tarsier
