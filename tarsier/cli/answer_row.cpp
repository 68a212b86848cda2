#include "tarsier/cli/answer_row.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tarsier/checkpoint/sha256.h"

namespace tarsier {

double to_milliseconds(double seconds) { return std::round(seconds * 1000) / 1000; }

nlohmann::ordered_json seen_row(const MediaClip& clip, const SeenMedia& seen) {
  nlohmann::ordered_json seconds = nlohmann::ordered_json::array();
  for (const double each : clip.choice.seconds) seconds.push_back(to_milliseconds(each));
  return {
      {"source", clip.path},
      {"sha256", sha256_of_file(clip.path)},
      {"frames",
       {{"indices", clip.choice.indices},
        {"seconds", std::move(seconds)},
        {"size", {seen.resized.width, seen.resized.height}},
        {"source_size", {seen.source.width, seen.source.height}},
        {"sampler", clip.choice.sampler},
        {"visual_tokens", seen.tokens - sound_tokens(seen)}}},
      {"sound",
       {{"seconds", to_milliseconds(clip.sound_seconds)}, {"audio_tokens", sound_tokens(seen)}}}};
}

nlohmann::ordered_json answer_row(const MediaClip& clip, const SeenMedia& seen,
                                  const ModelSession& session, const SamplingParams& sampling) {
  const ModelInfo& info = session.model->info();
  nlohmann::ordered_json params = {
      {"temperature", sampling.temperature},
      {"top_p", sampling.top_p},
      {"top_k", sampling.top_k},
      {"repetition_penalty",
       sampling.repetition_penalty.value_or(session.model->generation().repetition_penalty)},
      {"max_new_tokens", nullptr},
      {"seed", sampling.seed},
      {"stop", sampling.stop}};
  if (sampling.max_new_tokens) params["max_new_tokens"] = *sampling.max_new_tokens;
  const nlohmann::ordered_json saw = seen_row(clip, seen);
  nlohmann::ordered_json adapter = nullptr;
  if (!session.adapter.empty()) adapter = session.adapter;
  return {{"v", 1},
          {"id", std::filesystem::path(clip.path).stem().string()},
          {"source", saw["source"]},
          {"sha256", saw["sha256"]},
          {"status", "ok"},
          {"model", info.name},
          {"revision", session.revision},
          {"adapter", std::move(adapter)},
          {"dtype", info.dtype},
          {"template", info.template_origin},
          {"params", std::move(params)},
          {"frames", saw["frames"]},
          {"sound", saw["sound"]},
          {"t_decode_s", to_milliseconds(clip.decode_seconds)}};
}

nlohmann::ordered_json usage_of(const Completion& completion, std::span<const SeenMedia> seen) {
  std::int64_t video = 0, audio = 0;
  for (const SeenMedia& each : seen) {
    audio += sound_tokens(each);
    video += each.tokens - sound_tokens(each);
  }
  return {{"prompt_tokens", completion.prompt_tokens},
          {"completion_tokens", completion.new_tokens},
          {"total_tokens", completion.prompt_tokens + completion.new_tokens},
          {"prompt_tokens_details",
           {{"text_tokens", completion.prompt_tokens - video - audio},
            {"video_tokens", video},
            {"audio_tokens", audio}}}};
}

nlohmann::ordered_json usage_of(const Completion& completion, const SeenMedia& seen) {
  return usage_of(completion, {&seen, 1});
}

nlohmann::ordered_json failed_row(const std::string& path, std::string_view code,
                                  const ErrorNote& note) {
  return {{"v", 1},
          {"id", std::filesystem::path(path).stem().string()},
          {"source", path},
          {"status", "failed"},
          {"error", {{"code", code}, {"message", note.text()}}}};
}

std::string line_of(const nlohmann::ordered_json& row) {
  return row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tarsier
