#include "tarsier/train/data/pair_rows.h"

#include <fmt/format.h>

#include "tarsier/base/json.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/data/extra_value.h"

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

void check_pair_video(const Row& row) {
  const auto sampled = text_at(extra_value(row.record, "pair"), "sampling", "video");
  if (!sampled) return;
  for (const Media& media : row.record.media) {
    if (media.kind == MediaKind::audio || media.is_list) continue;
    const std::string shown = sha256_of_file(media_path(row.folder, media.files.front()));
    if (shown != *sampled)
      throw InputError(
          {"pair.sampling.video",
           fmt::format("is {:.12}, the row shows {:.12}: a pair of another video", *sampled, shown),
           "make the pair of the video that the row shows"});
    return;
  }
}

std::optional<AnswerLogProbs> given_reference(const Row& row) {
  const std::optional<JsonView> pair = extra_value(row.record, "pair");
  const auto reference = pair ? pair->find("reference") : std::nullopt;
  if (!reference) return std::nullopt;
  reference->at("model").as_string();
  return AnswerLogProbs{reference->at("chosen").as_double(), reference->at("rejected").as_double()};
}

}  // namespace tarsier
