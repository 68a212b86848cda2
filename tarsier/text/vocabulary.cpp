#include "tarsier/text/vocabulary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace tarsier {

Vocabulary Vocabulary::parse(const JsonView& vocab) {
  if (!vocab.is_object()) vocab.fail("is not an object", "expected token -> id");
  Vocabulary vocabulary;
  vocabulary.ids_.reserve(vocab.raw().size());
  for (const auto& [spelling, id] : vocab.raw().items()) {
    if (spelling.empty()) vocab.fail("has an empty token", "the file is damaged");
    const std::int64_t value = vocab.at(spelling).as_int(0, kMaxTokenId);
    if (!vocabulary.add(spelling, value)) {
      vocab.at(spelling).fail(fmt::format("has id {}, as '{}' has", value,
                                          vocabulary.spellings_[static_cast<std::size_t>(value)]),
                              "ids must differ");
    }
  }
  return vocabulary;
}

bool Vocabulary::add(std::string spelling, std::int64_t id) {
  const auto index = static_cast<std::size_t>(id);
  if (index < spellings_.size() && !spellings_[index].empty()) return false;
  if (!ids_.emplace(spelling, static_cast<std::uint32_t>(id)).second) return false;
  if (index >= spellings_.size()) spellings_.resize(index + 1);
  spellings_[index] = std::move(spelling);
  return true;
}

std::optional<std::int64_t> Vocabulary::id_of(std::string_view spelling) const {
  const auto found = ids_.find(spelling);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tarsier
