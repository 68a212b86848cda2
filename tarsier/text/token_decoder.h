#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/metaspace.h"
#include "tarsier/text/replace_rule.h"

namespace tarsier {

/// How bytes that are not UTF-8 come out: U+FFFD once for ...
enum class InvalidBytes {
  maximal_part,  // ... each maximal invalid part (ByteLevel, as Rust's from_utf8_lossy)
  whole_run,  // ... every byte of a run of byte tokens that is not UTF-8 as a whole (ByteFallback)
  each_byte,  // ... each byte that begins no character (SentencePiece)
};

/// What the beginning of decoded text loses.
struct LeadingCut {
  std::string text;       // one character; empty: nothing is lost
  int count = 0;          // at most so many of them
  bool by_token = false;  // from the spelling of tokens until text came out; else from the text
};

/// The "decoder" of tokenizer.json, or SentencePiece's: tokens -> text. Immutable; thread-safe.
/// `Detokenizer` runs it.
class TokenDecoder {
 public:
  /// ByteLevel, or Replace, Metaspace, ByteFallback, Fuse and Strip in the order Llama's files have
  /// them. CheckpointError names any other kind, order or option. `spellings`: by id, added tokens
  /// included.
  static TokenDecoder parse(const JsonView& json, std::vector<std::string> spellings);

  /// A SentencePiece vocabulary: "▁" is a space, pieces of bytes are bytes, and the first "▁" of
  /// the text is dropped where encoding put it (`strip_first`), or that of each piece until there
  /// is text (`strip_all`).
  static TokenDecoder sentencepiece(std::vector<std::string> spellings, bool strip_first,
                                    bool strip_all);

  /// Highest id + 1.
  std::int64_t size() const { return static_cast<std::int64_t>(spellings_.size()); }
  /// The token as its file spells it; "" for an id without one.
  std::string_view spelling_of(std::int64_t id) const;
  /// What the token adds to text, not at its beginning; part of a character where `is_bytes`.
  std::string_view bytes_of(std::int64_t id) const;
  /// The same of the first token of a text, which Metaspace treats in its own way.
  std::string first_text_of(std::int64_t id) const;
  bool is_bytes(std::int64_t id) const;

  InvalidBytes invalid_bytes() const { return invalid_bytes_; }
  const LeadingCut& leading_cut() const { return leading_cut_; }

 private:
  void add_stage(const JsonView& json, GrowthBudget& budget);
  void fill_tables();
  std::string text_of(std::string_view spelling, bool first) const;
  bool has(std::int64_t id) const { return id >= 0 && id < size(); }

  std::vector<std::string> spellings_;
  std::vector<std::string> bytes_;  // [size()]
  std::vector<bool> is_bytes_;      // [size()]
  bool byte_level_ = false, byte_fallback_ = false, fused_ = false;
  std::vector<ReplaceRule> rules_;
  std::optional<std::string> dropped_in_first_;  // by Metaspace
  InvalidBytes invalid_bytes_ = InvalidBytes::maximal_part;
  LeadingCut leading_cut_;
};

}  // namespace tarsier
