#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// What a tokenizer.model says: the fields of SentencePiece's ModelProto that decide ids
/// (sentencepiece_model.proto).
struct SentencePieceFile {
  enum class Kind { normal = 1, unknown, control, user_defined, unused, byte };
  struct Piece {
    std::string text;
    float score = 0;  // the pair that makes the piece of highest score is merged first
    Kind kind = Kind::normal;
  };

  std::vector<Piece> pieces;  // by id
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool whitespace_as_suffix = false;
};

/// Reads a file's bytes; `file` is its name in messages. CheckpointError names the field of
/// anything cut, contradictory, or not byte-pair pieces with byte fallback and identity
/// normalisation: what Llama and Yi have, and all that SentencePiece's library then meets.
SentencePieceFile parse_sentencepiece(std::string_view bytes, const std::string& file);

/// The ModelProto of exactly these fields.
std::string serialize(const SentencePieceFile& file);

}  // namespace tarsier
