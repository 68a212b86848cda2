#include "tarsier/train/data/question_hints.h"

#include <algorithm>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/questions.h"
#include "tarsier/train/data/world_tokens.h"

namespace tarsier {
namespace {

std::size_t answer_begin(const TokenRun& run) {
  const auto target = std::find_if(run.labels.begin(), run.labels.end(),
                                   [](std::int64_t label) { return label >= 0; });
  return static_cast<std::size_t>(target - run.labels.begin());
}

}  // namespace

QuestionHints::QuestionHints(const Tokenizer& tokenizer, std::span<const Language> languages,
                             double hint_weight, double option_weight)
    : hint_weight_(static_cast<float>(hint_weight)),
      option_weight_(static_cast<float>(option_weight)),
      end_of_turn_(world_token(tokenizer, "<|im_end|>")) {
  for (const char* letter : {"A", "B", "C", "D"})
    option_letters_.push_back(world_token(tokenizer, letter));
  for (const Language language : languages) {
    const LanguageTable& words = table(language);
    for (const auto& form : words.colours) {
      for (const std::string_view colour : form)
        noun_tokens_.insert(world_token(tokenizer, in_sentence(colour, language)));
    }
    for (const auto& shapes : {words.shapes, words.plural_shapes}) {
      for (const std::string_view shape : shapes)
        noun_tokens_.insert(tokenizer.encode(in_sentence(shape, language)).back());
    }
    verdicts_[language] = {world_token(tokenizer, words.questions.yes),
                           world_token(tokenizer, words.questions.no)};
  }
}

void QuestionHints::teach(std::string_view kind, Language language, TokenRun& run) const {
  if (kind == "choice") {
    if (option_weight_ > 0) judge_options(verdicts_.at(language), run);
    return;
  }
  if (hint_weight_ == 0) return;
  const std::size_t begin = answer_begin(run);
  const std::vector<std::int64_t> answer(run.labels.begin() + static_cast<std::ptrdiff_t>(begin),
                                         run.labels.end() - 1);
  const bool named = kind == "colour" || kind == "shape" || kind == "place" || kind == "is_there";
  const auto hint_behind = [&](std::size_t at) {  // the question's own tokens, which are given
    check(at + answer.size() < begin, "a hint ends before the answer begins");
    for (std::size_t i = 0; i < answer.size(); ++i) {
      run.labels[at + 1 + i] = answer[i];
      run.weights[at + 1 + i] = hint_weight_;
    }
  };
  if (named) hint_behind(last_noun(run));
  if (is_probe(kind)) hint_behind(end_of_question(run) - 1);
}

std::size_t QuestionHints::end_of_question(const TokenRun& run) const {
  const auto end = std::find(run.tokens.begin(), run.tokens.end(), end_of_turn_);
  check(end != run.tokens.end(), "a question ends");
  return static_cast<std::size_t>(end - run.tokens.begin());
}

// The last colour or shape in a question's words.
std::size_t QuestionHints::last_noun(const TokenRun& run) const {
  std::size_t at = end_of_question(run);
  while (at > 0 && !noun_tokens_.contains(run.tokens[at])) --at;
  check(at > 0, "a question about a thing names it");
  return at;
}

// The letter that answers a choice says little about why; a verdict behind each option says which
// of them the video bears out. It is the target of the option's last token, which the next line's
// start follows in the prompt.
void QuestionHints::judge_options(const Verdict& verdict, TokenRun& run) const {
  const std::size_t answer = answer_begin(run);
  const std::int64_t letter = run.labels[answer];
  std::vector<std::size_t> letters;
  for (std::size_t i = 0; i < answer && letters.size() < option_letters_.size(); ++i) {
    if (run.tokens[i] == option_letters_[letters.size()]) letters.push_back(i);
  }
  check(letters.size() == option_letters_.size(), "a choice has its options in order");
  for (std::size_t option = 0; option < letters.size(); ++option) {
    const std::size_t behind =
        option + 1 < letters.size() ? letters[option + 1] - 1 : end_of_question(run);
    run.labels[behind] = option_letters_[option] == letter ? verdict.yes : verdict.no;
    run.weights[behind] = option_weight_;
  }
}

}  // namespace tarsier
