#include "tarsier/train/sample_log.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tarsier {
namespace {

std::string row_of(std::int64_t step, const std::string& stage, const SampleAnswer& answer) {
  const nlohmann::ordered_json row = {{"step", step},          {"stage", stage},
                                      {"id", answer.id},       {"prompt", answer.prompt},
                                      {"truth", answer.truth}, {"answer", answer.answer},
                                      {"cut", answer.cut}};
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string markdown_of(const SampleAnswer& answer) {
  return fmt::format("*{}* {}\n\n{}{}\n\n*truth:* {}", answer.id, answer.prompt, answer.answer,
                     answer.cut ? " ..." : "", answer.truth);
}

}  // namespace

SampleLog::SampleLog(const std::filesystem::path& run, std::int64_t resumed_step)
    : rows_(run / "samples.jsonl", resumed_step) {}

void SampleLog::add(std::int64_t step, const std::string& stage,
                    std::span<const SampleAnswer> answers, EventFile& tensorboard) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    rows_.add(row_of(step, stage, answers[i]));
    tensorboard.add_text(step, fmt::format("samples/{}/{}", stage, i), markdown_of(answers[i]));
  }
}

}  // namespace tarsier
