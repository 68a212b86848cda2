#include "tarsier/train/sample_log.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "tarsier/judge/caption_clean.h"

namespace tarsier {
namespace {

constexpr std::int64_t kRun = 4;  // words: longer runs that come again are no accident

std::int64_t words_in(const std::string& text) {
  std::istringstream stream(text);
  return std::distance(std::istream_iterator<std::string>(stream), {});
}

std::string row_of(std::int64_t step, const std::string& stage, const SampleAnswer& answer) {
  const nlohmann::ordered_json row = {{"step", step},
                                      {"stage", stage},
                                      {"id", answer.id},
                                      {"prompt", answer.prompt},
                                      {"truth", answer.truth},
                                      {"answer", answer.answer},
                                      {"words", words_in(answer.answer)},
                                      {"repeated", repeated_share(answer.answer, kRun)},
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
  double words = 0, repeated = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    words += static_cast<double>(words_in(answers[i].answer));
    repeated += repeated_share(answers[i].answer, kRun);
    rows_.add(row_of(step, stage, answers[i]));
    tensorboard.add_text(step, fmt::format("samples/{}/{}", stage, i), markdown_of(answers[i]));
  }
  if (answers.empty()) return;
  const auto count = static_cast<double>(answers.size());
  const std::vector<TaggedScalar> means = {{"samples/words", words / count},
                                           {"samples/repeated", repeated / count}};
  tensorboard.add_scalars(step, means);
}

}  // namespace tarsier
