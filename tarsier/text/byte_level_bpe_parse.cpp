#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "tarsier/text/byte_level.h"
#include "tarsier/text/byte_level_bpe.h"

namespace tarsier {
namespace {

void require_empty_or_null(const JsonView& model, std::string_view key) {
  const auto value = model.find(key);
  if (value && !(value->is_string() && value->as_string().empty())) {
    value->fail(fmt::format("is {}", value->raw().dump()), "only null is supported");
  }
}

// One entry of "merges": "left right" in old files, ["left", "right"] in new ones.
std::pair<std::string, std::string> halves(const JsonView& merges, std::int64_t index) {
  const nlohmann::json& entry = merges.raw()[static_cast<std::size_t>(index)];
  if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
    return {entry[0].get<std::string>(), entry[1].get<std::string>()};
  }
  if (entry.is_string()) {
    const auto& text = entry.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  merges.at(index).fail(R"(is neither "left right" nor ["left", "right"])",
                        "the file may be cut or of another kind");
}

}  // namespace

ByteLevelBpe ByteLevelBpe::parse(const JsonView& model) {
  if (const auto type = model.find("type"); type && type->as_string() != "BPE") {
    type->fail(fmt::format("is '{}'", type->as_string()), "only 'BPE' is supported");
  }
  require_empty_or_null(model, "dropout");
  require_empty_or_null(model, "continuing_subword_prefix");
  require_empty_or_null(model, "end_of_word_suffix");
  ByteLevelBpe bpe;
  bpe.fuse_unknown_ = model.bool_or("fuse_unk", false);
  bpe.ignore_merges_ = model.bool_or("ignore_merges", false);
  bpe.read_vocabulary(model.at("vocab"));
  bpe.read_merges(model.at("merges"));
  bpe.read_bytes(model);
  return bpe;
}

void ByteLevelBpe::read_vocabulary(const JsonView& vocab) {
  if (!vocab.is_object()) vocab.fail("is not an object", "expected token -> id");
  ids_.reserve(vocab.raw().size());
  for (const auto& [spelling, id] : vocab.raw().items()) {
    if (spelling.empty()) vocab.fail("has an empty token", "the file is damaged");
    const std::int64_t value = vocab.at(spelling).as_int(0, kMaxTokenId);
    const auto index = static_cast<std::size_t>(value);
    if (index >= spellings_.size()) spellings_.resize(index + 1);
    if (!spellings_[index].empty()) {
      vocab.at(spelling).fail(fmt::format("has id {}, as '{}' has", value, spellings_[index]),
                              "ids must differ");
    }
    spellings_[index] = spelling;
    ids_.emplace(spelling, static_cast<std::uint32_t>(value));
  }
}

void ByteLevelBpe::read_merges(const JsonView& merges) {
  if (!merges.is_array()) merges.fail("is not an array", "expected a list of pairs");
  const std::int64_t count = merges.size();
  merges_ = MergeTable(static_cast<std::size_t>(count));
  for (std::int64_t rank = 0; rank < count; ++rank) {
    const auto [left, right] = halves(merges, rank);
    const auto known = [&](const std::string& token) {
      const auto found = ids_.find(token);
      if (found == ids_.end()) {
        merges.at(rank).fail(
            fmt::format("needs the token '{}', which is not in the vocabulary", token),
            "vocabulary and merges belong to different files");
      }
      return found->second;
    };
    merges_.set(known(left), known(right), {static_cast<std::uint32_t>(rank), known(left + right)});
  }
}

// Every byte needs a token, or an unknown token must stand for it; text is never dropped.
void ByteLevelBpe::read_bytes(const JsonView& model) {
  if (const auto unknown = model.find("unk_token")) {
    const auto id = id_of(unknown->as_string());
    if (!id)
      unknown->fail(fmt::format("'{}' is not in the vocabulary", unknown->as_string()),
                    "add it, or use null");
    unknown_ = static_cast<std::uint32_t>(*id);
  }
  const bool byte_fallback = model.bool_or("byte_fallback", false);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string spelling =
        spell_bytes(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
    if (const auto id = id_of(spelling)) {
      byte_ids_[byte] = static_cast<std::uint32_t>(*id);
    } else if (unknown_ && !byte_fallback) {
      byte_ids_[byte] = *unknown_;
      byte_is_unknown_[byte] = true;
    } else {
      model.at("vocab").fail(fmt::format("has no token '{}' for byte {}", spelling, byte),
                             "only byte-level vocabularies (Qwen2, GPT-2) are supported");
    }
  }
}

}  // namespace tarsier
