#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/text/sentencepiece_file.h"
#include "tarsier/text/token_model.h"

namespace tarsier {

/// Pieces of text by SentencePiece's own library. Immutable; thread-safe.
class SentencePieceModel final : public TokenModel {
 public:
  /// A checked file; `name` is what messages call it. `guard`, where not empty, goes before words
  /// that begin with a space and its own ids are dropped again, so that the library strips no
  /// space: what LlamaTokenizer does without its legacy mode. CheckpointError when the library
  /// refuses the file.
  SentencePieceModel(const SentencePieceFile& file, const std::string& name, std::string guard);
  ~SentencePieceModel() override;

  /// InputError for a text of over 256 MiB, whose offsets the library could not count.
  void encode(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  struct Library;
  std::vector<int> pieces_of(std::string_view text) const;

  std::unique_ptr<const Library> library_;
  std::string guard_;
  std::size_t guard_pieces_ = 0;
};

}  // namespace tarsier
