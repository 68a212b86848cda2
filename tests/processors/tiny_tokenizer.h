#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>

#include "tarsier/text/byte_level.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {

/// Ids 0-255 are bytes; then Qwen2's special tokens.
enum TinyId : std::int64_t {
  kEndOfText = 256,
  kImStart,
  kImEnd,
  kVisionStart,
  kVisionEnd,
  kImagePad,
  kVideoPad
};

inline std::unique_ptr<Tokenizer> tiny_tokenizer() {
  const auto quoted = [](std::string text) {
    for (std::size_t at = 0; (at = text.find_first_of("\"\\", at)) != std::string::npos; at += 2)
      text.insert(at, "\\");
    return '"' + text + '"';
  };
  std::string vocabulary, added;
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary += fmt::format("{}{}: {}", byte ? ", " : "",
                              quoted(spell_bytes(std::string(1, static_cast<char>(byte)))), byte);
  }
  int id = 256;
  for (const char* name : {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>",
                           "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"}) {
    added += fmt::format(
        R"({}{{"id": {}, "content": "{}", "single_word": false, "lstrip": false, "rstrip": false,
                            "normalized": false, "special": true}})",
        id == 256 ? "" : ", ", id, name);
    ++id;
  }
  return Tokenizer::parse(fmt::format(
      R"({{"version": "1.0", "added_tokens": [{}], "normalizer": {{"type": "NFC"}},
          "pre_tokenizer": {{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}},
          "decoder": {{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}},
          "model": {{"type": "BPE", "vocab": {{{}}}, "merges": []}}}})",
      added, vocabulary));
}

}  // namespace tarsier
