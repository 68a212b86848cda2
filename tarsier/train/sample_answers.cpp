#include "tarsier/train/sample_answers.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "tarsier/base/log.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/engine/generate.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

constexpr std::size_t kQuestionsOfAClip = 4;

Tensor positions_of(const TokenRun& run) {
  return at::tensor(run.positions, at::kLong)
      .view({3, static_cast<std::int64_t>(run.tokens.size())});
}

// Runs of neighbouring rows; to the decoder it does not matter which picture a row is of.
std::vector<MediaSpan> spans_of(const std::vector<std::int64_t>& rows) {
  std::vector<MediaSpan> spans;
  for (const std::int64_t row : rows) {
    if (spans.empty() || spans.back().begin + spans.back().length != row)
      spans.push_back({Modality::video, row, 0});
    ++spans.back().length;
  }
  return spans;
}

// Of the last question: a branch of its own, but before a pair's answers part of the prefix.
std::ptrdiff_t begin_of_words(const Sample& sample, std::int64_t closing_token) {
  const std::vector<std::int64_t>& prefix = sample.prefix.tokens;
  if (!sample.pair) return std::ssize(prefix);
  const auto closing = std::find(prefix.rbegin(), prefix.rend(), closing_token);
  return prefix.rend() - closing;
}

// Each answer's question once: those of a pair are all to one, and the truth is the last.
std::span<const TokenRun> asked_branches(const Sample& sample) {
  const std::span<const TokenRun> branches = sample.branches;
  if (!sample.pair) return branches;
  return branches.size() == 3 ? branches.subspan(2) : branches.first(1);
}

}  // namespace

SampleAnswers::SampleAnswers(const VideoLanguageModel& model, const SampleSource& source,
                             std::int64_t clips)
    : model_(model) {
  for (std::int64_t i = 0; i < clips; ++i) {
    const Outcome<Sample> outcome = source.sample(static_cast<std::uint64_t>(i));
    if (const auto* note = std::get_if<ErrorNote>(&outcome)) {
      log_warning("no sample answers about " + note->text());
    } else {
      clips_.push_back(clip_of(std::get<Sample>(outcome)));
    }
  }
}

SampleAnswers::Clip SampleAnswers::clip_of(const Sample& sample) const {
  const std::vector<std::int64_t>& ends = model_.generation().end_ids;
  const std::int64_t closing_token = model_.tokenizer().id_of("<|vision_end|>").value_or(-1);
  const auto is_end_id = [&](std::int64_t id) { return is_end(ends, id); };
  Clip clip{sample.id, sample.media, {}};
  const std::vector<MediaSpan> spans = spans_of(sample.media_rows);
  for (const TokenRun& branch : asked_branches(sample)) {
    if (clip.questions.size() == kQuestionsOfAClip) break;
    const auto target = std::find_if(branch.labels.begin(), branch.labels.end(),
                                     [](std::int64_t label) { return label >= 0; });
    const auto asked = target - branch.labels.begin();
    Question question;
    Prompt& prompt = question.prompt;
    prompt.tokens = sample.prefix.tokens;
    prompt.tokens.insert(prompt.tokens.end(), branch.tokens.begin(), branch.tokens.begin() + asked);
    prompt.spans = spans;
    const Tensor positions = positions_of(branch);
    prompt.positions = at::cat({positions_of(sample.prefix), positions.slice(1, 0, asked)}, 1);
    prompt.next_position = positions[0][asked].item<std::int64_t>();
    // The user's words end where the turn does; the answer's opening follows.
    const auto words = prompt.tokens.begin() + begin_of_words(sample, closing_token);
    question.text =
        model_.tokenizer().decode({words, std::find_if(words, prompt.tokens.end(), is_end_id)});
    std::vector<std::int64_t> truth;
    const auto end = std::find_if(target, branch.labels.end(), [&](std::int64_t label) {
      return label < 0 || is_end_id(label);
    });
    std::copy(target, end, std::back_inserter(truth));
    question.truth = model_.tokenizer().decode(truth);
    const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
    question.max_new_tokens = std::min(new_token_limit(model_.info(), tokens, {}),
                                       2 * static_cast<std::int64_t>(truth.size()) + 16);
    clip.questions.push_back(std::move(question));
  }
  return clip;
}

std::vector<SampleAnswer> SampleAnswers::ask(std::stop_token stop) const {
  // Not InferenceMode: a tensor made in it that stayed with the model would be of no use to
  // training.
  const at::NoGradGuard no_grad;
  std::vector<SampleAnswer> answers;
  for (const Clip& clip : clips_) {
    std::vector<Branch> branches;
    for (const Question& question : clip.questions) {
      SamplingParams greedy;
      greedy.max_new_tokens = question.max_new_tokens;
      branches.push_back({question.prompt, greedy, {}});
    }
    AtenBackend backend(model_.decoder());
    const auto completions = generate_branches(model_, backend, clip.media, branches, stop);
    if (stop.stop_requested()) return {};
    for (std::size_t i = 0; i < completions.size(); ++i) {
      const Question& question = clip.questions[i];
      answers.push_back({clip.id, question.text, question.truth, completions[i].text,
                         completions[i].reason == FinishReason::length});
    }
  }
  return answers;
}

}  // namespace tarsier
