#include "tarsier/text/token_model.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/text/known_keys.h"

namespace tarsier {
namespace {

void require_empty_or_null(const JsonView& model, std::string_view key) {
  const auto value = model.find(key);
  if (value && !(value->is_string() && value->as_string().empty())) {
    value->fail(fmt::format("is {}", value->raw().dump()), "only null is supported");
  }
}

}  // namespace

void require_plain_bpe(const JsonView& model) {
  require_known_keys(
      model, {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
              "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
  if (const auto type = model.find("type"); type && type->as_string() != "BPE") {
    type->fail(fmt::format("is '{}'", type->as_string()), "only 'BPE' is supported");
  }
  require_empty_or_null(model, "dropout");
  require_empty_or_null(model, "continuing_subword_prefix");
  require_empty_or_null(model, "end_of_word_suffix");
}

std::optional<std::int64_t> unknown_token(const JsonView& model, const Vocabulary& vocabulary) {
  const auto unknown = model.find("unk_token");
  if (!unknown) return std::nullopt;
  const auto id = vocabulary.id_of(unknown->as_string());
  if (!id) {
    unknown->fail(fmt::format("'{}' is not in the vocabulary", unknown->as_string()),
                  "add it, or use null");
  }
  return id;
}

}  // namespace tarsier
