#include "tarsier/text/sentencepiece_file.h"

#include <fmt/format.h>

#include <bitset>
#include <cmath>
#include <unordered_set>

#include "tarsier/base/error.h"
#include "tarsier/text/sentencepiece_spelling.h"
#include "tarsier/text/utf8.h"
#include "tarsier/text/vocabulary.h"
#include "tarsier/text/wire_format.h"

namespace tarsier {
namespace {

using Kind = SentencePieceFile::Kind;
using Piece = SentencePieceFile::Piece;

constexpr std::size_t kMaxPieceBytes = 512;
// Numbers of fields in sentencepiece_model.proto.
enum Model { kPieces = 1, kTrainerSpec = 2, kNormalizerSpec = 3, kDenormalizerSpec = 5 };
enum PieceField { kText = 1, kScore = 2, kKind = 3 };
enum Trainer { kModelType = 3, kWhitespaceAsSuffix = 24, kByteFallback = 35 };
enum Normalizer { kCharsmap = 2, kDummyPrefix = 3, kRemoveExtra = 4, kEscape = 5 };
constexpr std::int64_t kUnigram = 1, kBpe = 2;

[[noreturn]] void fail(const std::string& where, std::string what, std::string hint) {
  throw CheckpointError({where, std::move(what), std::move(hint)});
}

struct Settings {  // of the trainer
  std::int64_t model_type = kUnigram;
  bool byte_fallback = false;
};

Piece read_piece(std::string_view bytes, const std::string& where) {
  Piece piece;
  WireReader reader(bytes, where);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case kText:
        piece.text = reader.as_bytes(*field);
        break;
      case kScore:
        piece.score = reader.as_float(*field);
        break;
      case kKind: {
        const std::int64_t kind = reader.as_int(*field);
        if (kind < 1 || kind > 6)
          fail(where + ".type", fmt::format("is {}", kind), "kinds are 1 to 6");
        piece.kind = static_cast<Kind>(kind);
        break;
      }
      default:
        break;
    }
  }
  // An embedded zero byte, and text that is not UTF-8, would end in the library's own assertions.
  if (piece.text.empty()) fail(where + ".piece", "is empty", "the file is damaged");
  if (piece.text.size() > kMaxPieceBytes)
    fail(where + ".piece", fmt::format("has {} bytes", piece.text.size()),
         fmt::format("at most {} are supported", kMaxPieceBytes));
  if (first_invalid_utf8(piece.text) || piece.text.find('\0') != std::string::npos)
    fail(where + ".piece", "is not UTF-8 text", "the file is damaged");
  if (!std::isfinite(piece.score))
    fail(where + ".score", "is not a finite number", "the file is damaged");
  return piece;
}

void read_trainer(std::string_view bytes, const std::string& where, SentencePieceFile& file,
                  Settings& settings) {
  WireReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (field->number == kModelType) settings.model_type = reader.as_int(*field);
    if (field->number == kByteFallback) settings.byte_fallback = reader.as_bool(*field);
    if (field->number == kWhitespaceAsSuffix) file.whitespace_as_suffix = reader.as_bool(*field);
  }
}

void read_normalizer(std::string_view bytes, const std::string& where, SentencePieceFile& file) {
  WireReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (field->number == kDummyPrefix) file.add_dummy_prefix = reader.as_bool(*field);
    if (field->number == kRemoveExtra) file.remove_extra_whitespaces = reader.as_bool(*field);
    if (field->number == kEscape) file.escape_whitespaces = reader.as_bool(*field);
    if (field->number == kCharsmap && !reader.as_bytes(*field).empty()) {
      fail(where + ".precompiled_charsmap", "is not empty",
           "only models trained with identity normalisation (Llama, Yi) are supported");
    }
  }
}

void require_sound(const SentencePieceFile& file, const std::string& name) {
  std::unordered_set<std::string_view> texts;
  std::bitset<256> bytes;
  std::size_t unknowns = 0;
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    const Piece& piece = file.pieces[id];
    const std::string where = fmt::format("{}: pieces[{}].piece", name, id);
    if (!texts.insert(piece.text).second)
      fail(where, fmt::format("is '{}', as an earlier one is", piece.text), "pieces must differ");
    unknowns += piece.kind == Kind::unknown;
    if (piece.kind != Kind::byte) continue;
    const auto byte = byte_of_token(piece.text);
    if (!byte || piece.text != byte_token(*byte))
      fail(where, fmt::format("is '{}'", piece.text), "bytes are '<0x00>' to '<0xFF>'");
    bytes.set(*byte);
  }
  if (unknowns != 1)
    fail(name + ": pieces", fmt::format("has {} unknown pieces", unknowns), "a model has one");
  if (!bytes.all())
    fail(name + ": pieces", fmt::format("has pieces for {} bytes", bytes.count()),
         "byte fallback needs all 256");
}

}  // namespace

SentencePieceFile parse_sentencepiece(std::string_view bytes, const std::string& name) {
  SentencePieceFile file;
  Settings settings;
  WireReader reader(bytes, name);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case kPieces:
        if (file.pieces.size() > static_cast<std::size_t>(kMaxTokenId))
          fail(name + ": pieces", fmt::format("has over {} entries", kMaxTokenId + 1),
               "no vocabulary is so large");
        file.pieces.push_back(read_piece(reader.as_bytes(*field),
                                         fmt::format("{}: pieces[{}]", name, file.pieces.size())));
        break;
      case kTrainerSpec:
        read_trainer(reader.as_bytes(*field), name + ": trainer_spec", file, settings);
        break;
      case kNormalizerSpec:
        read_normalizer(reader.as_bytes(*field), name + ": normalizer_spec", file);
        break;
      case kDenormalizerSpec: {
        SentencePieceFile unused;  // only a character map would change anything
        read_normalizer(reader.as_bytes(*field), name + ": denormalizer_spec", unused);
        break;
      }
      default:
        break;
    }
  }
  if (settings.model_type != kBpe)
    fail(name + ": trainer_spec.model_type", fmt::format("is {}", settings.model_type),
         "only 2 (BPE) is supported");
  if (!settings.byte_fallback)
    fail(name + ": trainer_spec.byte_fallback", "is false", "only models with it are supported");
  require_sound(file, name);
  return file;
}

std::string serialize(const SentencePieceFile& file) {
  std::string model;
  for (const Piece& piece : file.pieces) {
    std::string message;
    write_bytes(message, kText, piece.text);
    write_float(message, kScore, piece.score);
    write_int(message, kKind, static_cast<std::uint64_t>(piece.kind));
    write_bytes(model, kPieces, message);
  }
  std::string trainer, normalizer;
  write_int(trainer, kModelType, kBpe);
  write_int(trainer, kByteFallback, 1);
  write_int(trainer, kWhitespaceAsSuffix, file.whitespace_as_suffix);
  write_bytes(model, kTrainerSpec, trainer);
  write_int(normalizer, kDummyPrefix, file.add_dummy_prefix);
  write_int(normalizer, kRemoveExtra, file.remove_extra_whitespaces);
  write_int(normalizer, kEscape, file.escape_whitespaces);
  write_bytes(model, kNormalizerSpec, normalizer);
  return model;
}

}  // namespace tarsier
