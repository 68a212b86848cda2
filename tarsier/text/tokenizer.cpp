#include "tarsier/text/tokenizer.h"

#include "tarsier/text/nfc.h"
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
  std::vector<std::int64_t> ids;
  const auto add_words = [&](std::string_view piece, const AddedToken* token) {
    if (token) {
      ids.push_back(token->id);
    } else {
      parts_->pretokenizer.split(piece,
                                 [&](std::string_view word) { parts_->model->encode(word, ids); });
    }
  };
  parts_->raw_tokens.split(
      text, special_as_text, [&](std::string_view piece, const AddedToken* token) {
        if (token) {
          ids.push_back(token->id);
          return;
        }
        const std::string normal = parts_->nfc ? to_nfc(piece) : std::string(piece);
        parts_->normalized_tokens.split(normal, special_as_text, add_words);
      });
  return ids;
}

std::vector<std::int64_t> Tokenizer::with_sequence_tokens(std::span<const std::int64_t> ids) const {
  std::vector<std::int64_t> all = parts_->begin_ids;
  all.insert(all.end(), ids.begin(), ids.end());
  all.insert(all.end(), parts_->end_ids.begin(), parts_->end_ids.end());
  return all;
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids, bool skip_special) const {
  std::string bytes;
  for (const std::int64_t id : ids) {
    if (!(skip_special && is_special(id))) bytes += bytes_of(id);
  }
  return lossy_utf8(bytes);
}

std::string_view Tokenizer::bytes_of(std::int64_t id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return parts_->bytes[static_cast<std::size_t>(id)];
}

std::optional<std::int64_t> Tokenizer::id_of(std::string_view token) const {
  const auto added = parts_->added_ids.find(std::string(token));
  if (added != parts_->added_ids.end()) return added->second;
  return parts_->vocabulary->id_of(token);
}

bool Tokenizer::is_special(std::int64_t id) const {
  return id >= 0 && id < vocab_size() && parts_->special[static_cast<std::size_t>(id)];
}

std::int64_t Tokenizer::vocab_size() const {
  return static_cast<std::int64_t>(parts_->bytes.size());
}

}  // namespace tarsier
