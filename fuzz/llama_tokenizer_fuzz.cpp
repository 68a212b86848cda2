// Any bytes, on tokenizers of Llama's kind: as a tokenizer.json, a tokenizer_config.json or a
// tokenizer.model they load or are refused as one; as text they are ids that decode to UTF-8, or
// are refused as not UTF-8; as ids they decode the same streamed, and to UTF-8. A first byte picks
// which.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/text/detokenizer.h"
#include "tarsier/text/sentencepiece_file.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/text/utf8.h"

namespace {

using tarsier::Tokenizer;
using Kind = tarsier::SentencePieceFile::Kind;

// Bytes at ids 3 to 258 as in Llama, then a few pieces.
std::vector<std::string> pieces() {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::vector<std::string> all = {"<unk>", "<s>", "</s>"};
  for (unsigned byte = 0; byte < 256; ++byte)
    all.push_back(std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">");
  for (const char* piece : {"▁", "a", "b", "▁a", "ab", "▁▁", "é", "\\n", "aa", "aaa"})
    all.emplace_back(piece);
  return all;
}

std::string small_json(std::string_view stages) {
  std::string vocab;
  std::int64_t id = 0;
  for (const std::string& piece : pieces()) {
    vocab += (id == 0 ? "\"" : ",\"") + piece + "\":" + std::to_string(id);
    ++id;
  }
  return R"({"model": {"byte_fallback": true, "unk_token": "<unk>", "vocab": {)" + vocab +
         R"(}, "merges": ["▁ a", "a b", "▁ ▁", "a a", "aa a"]},
    "added_tokens": [{"id": 1, "content": "<s>", "special": true}, {"id": 269, "content": "<i>", "special": true},
      {"id": 270, "content": "<n>", "normalized": true}, {"id": 271, "content": "<l>", "lstrip": true, "normalized": false}],)" +
         std::string(stages) + "}";
}

constexpr std::string_view kFormA =
    R"("normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})";
constexpr std::string_view kFormB =
    R"("pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
    "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"})";

std::string small_model() {
  tarsier::SentencePieceFile file;
  file.remove_extra_whitespaces = false;
  float score = 0;
  for (const std::string& piece : pieces()) {
    const bool control = piece == "<s>" || piece == "</s>";
    const Kind kind = piece == "<unk>"           ? Kind::unknown
                      : control                  ? Kind::control
                      : piece.starts_with("<0x") ? Kind::byte
                                                 : Kind::normal;
    file.pieces.push_back({piece, score--, kind});
  }
  return tarsier::serialize(file);
}

constexpr std::string_view kSample = "Hello, <i> a ab\xF0\x9F\x98\x80  12\n";

template <class Load>
void fuzz_file(std::string_view name, Load load) {
  try {
    const std::unique_ptr<Tokenizer> tokenizer = load();
    tokenizer->decode(tokenizer->with_sequence_tokens(tokenizer->encode(kSample)), false);
  } catch (const tarsier::CheckpointError& error) {
    if (!error.note.where.starts_with(name)) std::abort();
  } catch (const tarsier::InputError&) {  // a pattern that reaches its limits on the text
  }
}

void fuzz_text(const Tokenizer& tokenizer, std::string_view bytes) {
  try {
    for (const auto& ids : {tokenizer.encode(bytes), tokenizer.encode_as_text(bytes)}) {
      if (tarsier::first_invalid_utf8(tokenizer.decode(ids, false))) std::abort();
    }
    if (tarsier::first_invalid_utf8(bytes)) std::abort();
  } catch (const tarsier::InputError&) {
    if (!tarsier::first_invalid_utf8(bytes)) std::abort();
  }
}

void fuzz_ids(const Tokenizer& tokenizer, std::string_view bytes) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    ids.push_back(static_cast<unsigned char>(bytes[i]) + (bytes[i + 1] & 1 ? 256 : 0));
  tarsier::Detokenizer stream(tokenizer);
  std::string text;
  for (const std::int64_t id : ids) {
    const std::string piece = stream.push(id);
    if (tarsier::first_invalid_utf8(piece)) std::abort();
    text += piece;
  }
  text += stream.finish();
  if (text != tokenizer.decode(ids) || tarsier::first_invalid_utf8(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string json = small_json(kFormA), model = small_model();
  static const std::unique_ptr<Tokenizer> tokenizers[] = {
      Tokenizer::parse(json), Tokenizer::parse(small_json(kFormB)),
      Tokenizer::parse_sentencepiece(model),
      Tokenizer::parse_sentencepiece(model, R"({"legacy": false})")};
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 12) {
    case 0:
      fuzz_file("tokenizer.json", [&] { return Tokenizer::parse(bytes); });
      break;
    case 1:
      fuzz_file("tokenizer_config.json", [&] { return Tokenizer::parse(json, bytes); });
      break;
    case 2:
      fuzz_file("tokenizer_config.json",
                [&] { return Tokenizer::parse_sentencepiece(model, bytes); });
      break;
    case 3:
      fuzz_file("tokenizer.model", [&] { return Tokenizer::parse_sentencepiece(bytes); });
      break;
    default:
      const Tokenizer& tokenizer = *tokenizers[data[0] % 4];
      if (data[0] % 12 < 8) {
        fuzz_text(tokenizer, bytes);
      } else {
        fuzz_ids(tokenizer, bytes);
      }
  }
  return 0;
}
