#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/added_tokens.h"
#include "tarsier/text/pretokenizer.h"
#include "tarsier/text/token_model.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// What a tokenizer file says, ready to run: the steps of encoding in their order, and tables for
/// decoding.
struct TokenizerParts {
  AddedTokenMatcher raw_tokens;                  // 1. looked for in the text as it came
  bool nfc = false;                              // 2. normalisation of what lies between
  AddedTokenMatcher normalized_tokens;           // 3. looked for after it
  Pretokenizer pretokenizer;                     // 4. words
  std::unique_ptr<const TokenModel> model;       // 5. ids
  std::vector<std::int64_t> begin_ids, end_ids;  // 6. around one sequence, when asked for

  std::shared_ptr<const Vocabulary> vocabulary;
  std::unordered_map<std::string, std::int64_t> added_ids;
  std::vector<std::string> bytes;  // [highest id + 1], what each id adds to decoded text
  std::vector<bool> special;       // [highest id + 1]
};

/// The JSON documents a tokenizer is made of; all but the first may be missing.
struct TokenizerDocuments {
  JsonView tokenizer;
  std::optional<JsonView> config;        // tokenizer_config.json
  std::optional<JsonView> added_tokens;  // added_tokens.json: content -> id
};

/// CheckpointError names file, key and value of anything unknown or contradictory.
TokenizerParts parse_tokenizer(const TokenizerDocuments& documents);

}  // namespace tarsier
