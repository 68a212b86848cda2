#include "tarsier/text/tokenizer.h"

#include <algorithm>

#include "tarsier/text/detokenizer.h"
#include "tarsier/text/tokenizer_parts.h"
#include "tarsier/text/utf8.h"

namespace tarsier {

Tokenizer::Tokenizer(std::unique_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  return encode(text, false);
}
std::vector<std::int64_t> Tokenizer::encode_as_text(std::string_view text) const {
  return encode(text, true);
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text, bool special_as_text) const {
  require_utf8(text, "text");
  const std::string prepared = parts_->before.apply(text);
  std::vector<std::int64_t> ids;
  bool at_start = false;  // the piece at hand begins the text
  const auto add_words = [&](std::string_view piece, const AddedToken* token) {
    if (token) {
      ids.push_back(token->id);
    } else {
      parts_->pretokenizer.split(piece, at_start,
                                 [&](std::string_view word) { parts_->model->encode(word, ids); });
    }
    at_start = false;
  };
  const auto add_piece = [&](std::string_view piece, const AddedToken* token) {
    if (token) {
      ids.push_back(token->id);
      return;
    }
    at_start = piece.data() == prepared.data();
    const std::string normal = parts_->normalizer.apply(piece);
    parts_->normalized_tokens.split(normal, special_as_text, add_words);
  };
  parts_->raw_tokens.split(prepared, special_as_text, add_piece);
  const auto& drops = parts_->drops_prefix;
  if (ids.size() > 1 && ids[0] == parts_->prefix &&
      std::find(drops.begin(), drops.end(), ids[1]) != drops.end()) {
    ids.erase(ids.begin());
  }
  return ids;
}

std::vector<std::int64_t> Tokenizer::with_sequence_tokens(std::span<const std::int64_t> ids) const {
  const SequenceTokens& around = parts_->sequence;
  std::vector<std::int64_t> all = around.begin;
  all.insert(all.end(), ids.begin(), ids.end());
  all.insert(all.end(), around.end.begin(), around.end.end());
  return all;
}

bool Tokenizer::adds_bos() const {
  const SequenceTokens& around = parts_->sequence;
  return around.bos && !around.begin.empty() && around.begin.front() == *around.bos;
}

std::optional<std::int64_t> Tokenizer::bos_id() const { return parts_->sequence.bos; }
std::optional<std::int64_t> Tokenizer::eos_id() const { return parts_->sequence.eos; }

std::string Tokenizer::decode(std::span<const std::int64_t> ids, bool skip_special) const {
  Detokenizer stream(*this, skip_special);
  std::string text;
  for (const std::int64_t id : ids) text += stream.push(id);
  return text + stream.finish();
}

std::string_view Tokenizer::bytes_of(std::int64_t id) const { return parts_->decoder.bytes_of(id); }

std::string_view Tokenizer::spelling_of(std::int64_t id) const {
  return parts_->decoder.spelling_of(id);
}

std::optional<std::int64_t> Tokenizer::id_of(std::string_view token) const {
  return parts_->id_of(token);
}

bool Tokenizer::is_special(std::int64_t id) const {
  return id >= 0 && id < vocab_size() && parts_->special[static_cast<std::size_t>(id)];
}

std::int64_t Tokenizer::vocab_size() const { return parts_->decoder.size(); }

const TokenDecoder& Tokenizer::decoder() const { return parts_->decoder; }

}  // namespace tarsier
