// Any bytes: as a tokenizer.json they load or are refused as one; as text they are ids that decode
// to the same text, or are refused as not UTF-8; as ids they decode to UTF-8, streamed or whole. A
// first byte picks which.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/text/detokenizer.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/text/utf8.h"

namespace {

using tarsier::Tokenizer;

// The smallest tokenizer that has every stage: 256 bytes, a few merges, added tokens with every
// flag.
std::string small_json() {
  std::string vocab;
  int id = 0, free = 0x100;
  const auto add = [&](const std::string& token) {
    if (id > 0) vocab += ',';
    vocab += token + ":" + std::to_string(id++);
  };
  for (int byte = 0; byte < 256; ++byte) {
    const bool own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    std::string spelling;
    tarsier::append_utf8(spelling, static_cast<char32_t>(own ? byte : free++));
    if (spelling == "\"" || spelling == "\\") spelling.insert(0, 1, '\\');
    add('"' + spelling + '"');
  }
  for (const char* merged : {"\"ab\"", "\"abab\"", "\"Ġa\"", "\"ee\""}) add(merged);
  return R"({"model": {"vocab": {)" + vocab + R"(}, "merges": ["a b", "ab ab", "Ġ a", "e e"]},
    "normalizer": {"type": "NFC"}, "decoder": {"type": "ByteLevel"},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "behavior": "Isolated", "pattern": {"Regex":
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
    "added_tokens": [{"id": 260, "content": "<a>", "special": true}, {"id": 261, "content": "<a><b>", "normalized": false},
      {"id": 262, "content": "<l>", "lstrip": true}, {"id": 263, "content": "<r>", "rstrip": true},
      {"id": 264, "content": "ww", "single_word": true}]})";
}

void fuzz_file(std::string_view bytes) {
  try {
    const auto tokenizer = Tokenizer::parse(bytes);
    tokenizer->decode(tokenizer->encode("Hello, <a> world  12\n"));
  } catch (const tarsier::CheckpointError& error) {
    if (!error.note.where.starts_with("tokenizer.json")) std::abort();
  } catch (const tarsier::InputError&) {  // a pattern that reaches its limits on the text
  }
}

void fuzz_text(const Tokenizer& tokenizer, std::string_view bytes) {
  try {
    const auto ids = tokenizer.encode_as_text(bytes);
    const std::string text = tokenizer.decode(ids, false);
    if (tarsier::first_invalid_utf8(text)) std::abort();
    if (tokenizer.decode(tokenizer.encode_as_text(text), false).size() > 3 * text.size() + 3)
      std::abort();
    tokenizer.encode(bytes);
    if (tarsier::first_invalid_utf8(bytes)) std::abort();
  } catch (const tarsier::InputError&) {
    if (!tarsier::first_invalid_utf8(bytes)) std::abort();
  }
}

void fuzz_ids(const Tokenizer& tokenizer, std::string_view bytes) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    ids.push_back(static_cast<unsigned char>(bytes[i]) + (bytes[i + 1] & 1 ? 256 : 0));
  }
  tarsier::Detokenizer stream(tokenizer);
  std::string text;
  for (const std::int64_t id : ids) text += stream.push(id);
  text += stream.finish();
  if (text != tokenizer.decode(ids) || tarsier::first_invalid_utf8(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto small = Tokenizer::parse(small_json());
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      fuzz_file(bytes);
      break;
    case 1:
      fuzz_text(*small, bytes);
      break;
    default:
      fuzz_ids(*small, bytes);
      break;
  }
  return 0;
}
