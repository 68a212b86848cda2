#include <memory>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/text/sentencepiece_file.h"
#include "tarsier/text/sentencepiece_model.h"
#include "tarsier/text/sentencepiece_spelling.h"
#include "tarsier/text/tokenizer_parts.h"

namespace tarsier {
namespace {

// Without its legacy mode LlamaTokenizer turns off the library's dummy prefix and puts one itself,
// once, before the whole text.
Normalizer prefix_once(bool add_prefix_space) {
  std::vector<NormalizerStep> steps = {ReplaceRule{std::string(kVisibleSpace), " "}};
  if (add_prefix_space) steps.emplace_back(Prepend{std::string(kVisibleSpace)});
  return Normalizer(std::move(steps));
}

std::shared_ptr<const Vocabulary> vocabulary_of(const SentencePieceFile& file) {
  auto vocabulary = std::make_shared<Vocabulary>();
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    check(vocabulary->add(file.pieces[id].text, static_cast<std::int64_t>(id)),
          "pieces of a checked file differ");
  }
  return vocabulary;
}

}  // namespace

TokenizerParts parse_sentencepiece_tokenizer(std::string_view bytes, const std::string& name,
                                             const TokenizerSettings& settings) {
  SentencePieceFile file = parse_sentencepiece(bytes, name);
  const bool legacy = !settings.config || settings.config->bool_or("legacy", true);
  const bool add_prefix_space =
      !settings.config || settings.config->bool_or("add_prefix_space", true);
  if (!legacy) file.add_dummy_prefix = false;

  TokenizerParts parts;
  parts.vocabulary = vocabulary_of(file);
  AddedTokenList added(*parts.vocabulary);
  added.add_settings(settings);
  added.add_roles(settings);
  const auto unknown = role_token(settings, "unk_token");
  parts.model = std::make_unique<const SentencePieceModel>(
      file, name, legacy || !unknown ? std::string() : unknown->content);
  parts.decoder = TokenDecoder::sentencepiece(all_spellings(*parts.vocabulary, added),
                                              legacy ? file.add_dummy_prefix : add_prefix_space,
                                              file.remove_extra_whitespaces);
  // This class looks for all of its tokens in the text as it came.
  set_added_tokens(added, false, parts);

  if (!legacy) {
    parts.before = prefix_once(add_prefix_space);
    parts.prefix = parts.vocabulary->id_of(kVisibleSpace);
    for (const RoleToken& role : role_tokens(settings))
      parts.drops_prefix.push_back(*parts.id_of(role.content));
  }
  read_roles(
      settings, [&](std::string_view token) { return parts.id_of(token); }, parts.sequence);
  apply_settings(settings, parts.sequence);
  return parts;
}

}  // namespace tarsier
