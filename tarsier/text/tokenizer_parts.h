#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/added_token_list.h"
#include "tarsier/text/added_tokens.h"
#include "tarsier/text/normalizer.h"
#include "tarsier/text/pretokenizer.h"
#include "tarsier/text/sequence_tokens.h"
#include "tarsier/text/token_decoder.h"
#include "tarsier/text/token_model.h"
#include "tarsier/text/tokenizer_settings.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// What the files of a tokenizer say, ready to run: the steps of encoding in their order, and what
/// decoding needs.
struct TokenizerParts {
  Normalizer before;                        // 0. of the text as a whole
  AddedTokenMatcher raw_tokens;             // 1. looked for in the text as it came
  Normalizer normalizer;                    // 2. of what lies between
  AddedTokenMatcher normalized_tokens;      // 3. looked for after it
  Pretokenizer pretokenizer;                // 4. words
  std::unique_ptr<const TokenModel> model;  // 5. ids
  std::optional<std::int64_t> prefix;       // 6. dropped from the beginning where one of these
  std::vector<std::int64_t> drops_prefix;   //    follows it
  SequenceTokens sequence;                  // 7. around one sequence, when asked for

  std::shared_ptr<const Vocabulary> vocabulary;
  std::unordered_map<std::string, std::int64_t> added_ids;
  std::vector<bool> special;  // [highest id + 1]
  TokenDecoder decoder;

  std::optional<std::int64_t> id_of(std::string_view token) const;
};

/// From a tokenizer.json. CheckpointError names file, key and value of anything unknown or
/// contradictory.
TokenizerParts parse_tokenizer(const JsonView& tokenizer, const TokenizerSettings& settings);

/// From the bytes of a tokenizer.model, as `transformers`' LlamaTokenizer runs it (there without
/// "legacy": false each text between added tokens gets a dummy prefix). `name`: the file's, in
/// messages. CheckpointError likewise.
TokenizerParts parse_sentencepiece_tokenizer(std::string_view bytes, const std::string& name,
                                             const TokenizerSettings& settings);

/// Spellings by id, those of added tokens in front; [highest id + 1].
std::vector<std::string> all_spellings(const Vocabulary& vocabulary, const AddedTokenList& added);

/// Fills in the matchers and tables of added tokens, once normalizer and decoder are there.
/// `by_flags`: tokens marked normalized are looked for after normalisation.
void set_added_tokens(const AddedTokenList& added, bool by_flags, TokenizerParts& parts);

}  // namespace tarsier
