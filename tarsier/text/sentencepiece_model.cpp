#include "tarsier/text/sentencepiece_model.h"

#include <sentencepiece_processor.h>

#include <exception>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/text/sentencepiece_spelling.h"

namespace tarsier {
namespace {

constexpr std::size_t kMaxTextBytes = 256 << 20;

}  // namespace

struct SentencePieceModel::Library {
  sentencepiece::SentencePieceProcessor processor;
};

SentencePieceModel::SentencePieceModel(const SentencePieceFile& file, const std::string& name,
                                       std::string guard)
    : guard_(std::move(guard)) {
  auto library = std::make_unique<Library>();
  std::string refusal;
  try {
    const auto status = library->processor.LoadFromSerializedProto(serialize(file));
    if (!status.ok()) refusal = status.ToString();
  } catch (const std::exception& error) {  // of the tables it builds
    refusal = error.what();
  }
  if (!refusal.empty())
    throw CheckpointError({name, "is refused by SentencePiece: " + refusal, "the file is damaged"});
  library_ = std::move(library);
  guard_pieces_ = guard_.empty() ? 0 : pieces_of(guard_).size();
}

SentencePieceModel::~SentencePieceModel() = default;

std::vector<int> SentencePieceModel::pieces_of(std::string_view text) const {
  std::vector<int> pieces;
  const auto status = library_->processor.Encode(text, &pieces);
  check(status.ok(), "SentencePiece encodes UTF-8 with a model that it took");
  return pieces;
}

void SentencePieceModel::encode(std::string_view word, std::vector<std::int64_t>& ids) const {
  if (word.size() > kMaxTextBytes)
    throw InputError({"text", "is over 256 MiB long", "send it in parts"});
  const bool guarded =
      !guard_.empty() && (word.starts_with(' ') || word.starts_with(kVisibleSpace));
  const std::vector<int> pieces = pieces_of(guarded ? guard_ + std::string(word) : word);
  const std::size_t dropped = guarded && pieces.size() >= guard_pieces_ ? guard_pieces_ : 0;
  ids.insert(ids.end(), pieces.begin() + static_cast<std::ptrdiff_t>(dropped), pieces.end());
}

}  // namespace tarsier
