#include "tarsier/train/data/pair_rows.h"

#include <fmt/format.h>

#include "tarsier/base/json.h"
#include "tarsier/data/extra_value.h"
#include "tarsier/data/rows/sampled_media.h"

namespace tarsier {
namespace {

std::optional<std::string> text_at(const std::optional<JsonView>& json, std::string_view outer,
                                   std::string_view inner) {
  if (!json) return std::nullopt;
  const auto object = json->find(outer);
  const auto value = object ? object->find(inner) : std::nullopt;
  if (!value) return std::nullopt;
  return value->as_string();
}

std::optional<ErrorNote> find_fault(const Row& row, const PairRules& rules) {
  const auto note = [&](const std::string& field, std::string what, std::string hint) {
    return ErrorNote{row.record.where + ": " + field, std::move(what), std::move(hint)};
  };
  const std::optional<JsonView> pair = extra_value(row.record, "pair");
  for (const char* answer : {"chosen", "rejected"}) {
    const auto finish = text_at(pair, answer, "finish");
    if (finish && *finish != "stop")
      return note(answer, fmt::format("was cut: its sampling ended by '{}'", *finish),
                  "remove the row, or sample with more --max-new-tokens");
  }
  for (const char* kind : {"sampling", "reference"}) {
    const auto model = text_at(pair, kind, "model");
    if (!model || rules.reference.empty() || *model == rules.reference) continue;
    return note(
        fmt::format("pair.{}", kind),
        fmt::format("is of the model {:.12}, the reference is {:.12}", *model, rules.reference),
        "make pairs with the model that the recipe begins with");
  }
  if (rules.truth && is_blank(text_of(row.record.turns.back())))
    return note("turns", "has no true answer beside the pair",
                "give one, or train without truth_nll");
  return std::nullopt;
}

}  // namespace

std::optional<ErrorNote> fault_in_pair(const Row& row, const PairRules& rules) {
  try {
    given_reference(row);
    return find_fault(row, rules);
  } catch (const InputError& error) {
    return error.note;
  }
}

void check_pair_media(const Row& row) {
  const std::optional<JsonView> pair = extra_value(row.record, "pair");
  const auto compare = [&](const char* what, std::string (*hash_of)(const Row&)) {
    const auto sampled = text_at(pair, "sampling", what);
    if (!sampled) return;
    const std::string given = hash_of(row);
    if (*sampled == given) return;
    throw InputError({fmt::format("pair.sampling.{}", what),
                      fmt::format("is {:.12}, the row's is {}: a pair of another {}", *sampled,
                                  given.empty() ? "not there" : given.substr(0, 12), what),
                      fmt::format("make the pair of the {} that the row has", what)});
  };
  compare("video", sampled_video);
  compare("sound", sampled_sound);
}

std::optional<AnswerLogProbs> given_reference(const Row& row) {
  const std::optional<JsonView> pair = extra_value(row.record, "pair");
  const auto reference = pair ? pair->find("reference") : std::nullopt;
  if (!reference) return std::nullopt;
  reference->at("model").as_string();
  return AnswerLogProbs{reference->at("chosen").as_double(), reference->at("rejected").as_double()};
}

}  // namespace tarsier
