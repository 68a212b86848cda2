#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/base/mapped_file.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/text/tokenizer_parts.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxModelBytes = 64 << 20;

// What Qwen2's own tokenizer does, for directories that carry only vocab.json and merges.txt.
constexpr std::string_view kQwen2Pipeline = R"json({
  "normalizer": {"type": "NFC"},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
    {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
  "decoder": {"type": "ByteLevel"}
})json";

JsonView from_vocabulary_and_merges(const fs::path& directory) {
  nlohmann::json document = nlohmann::json::parse(kQwen2Pipeline);
  document["model"]["vocab"] = read_json(directory / "vocab.json", JsonOwner::checkpoint).raw();
  nlohmann::json& merges = document["model"]["merges"] = nlohmann::json::array();
  std::ifstream lines(directory / "merges.txt", std::ios::binary);
  if (!lines)
    throw CheckpointError(
        {"merges.txt", "is missing", "vocab.json needs it; or provide tokenizer.json"});
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  }
  return JsonView(std::make_shared<const nlohmann::json>(std::move(document)),
                  "vocab.json and merges.txt", JsonOwner::checkpoint);
}

std::string_view text_of(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() > kMaxModelBytes)
    throw CheckpointError({"tokenizer.model", "is over 64 MiB", "it is no SentencePiece model"});
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::unique_ptr<Tokenizer> Tokenizer::load(const fs::path& directory) {
  TokenizerSettings settings = TokenizerSettings::read(directory);
  const auto has = [&](const char* name) { return fs::exists(directory / name); };
  if (has("tokenizer.json")) {
    return make(
        parse_tokenizer(read_json(directory / "tokenizer.json", JsonOwner::checkpoint), settings));
  }
  if (has("vocab.json"))
    return make(parse_tokenizer(from_vocabulary_and_merges(directory), settings));
  if (has("tokenizer.model")) {
    settings.llama = true;
    const MappedFile file(directory / "tokenizer.model");
    return make(parse_sentencepiece_tokenizer(text_of(file), "tokenizer.model", settings));
  }
  throw CheckpointError({(directory / "tokenizer.json").string(),
                         "is missing, and there is no vocab.json or tokenizer.model either",
                         "download the whole model directory"});
}

std::unique_ptr<Tokenizer> Tokenizer::parse_sentencepiece(std::string_view tokenizer_model,
                                                          std::string_view tokenizer_config) {
  TokenizerSettings settings;
  settings.llama = true;
  if (!tokenizer_config.empty())
    settings.config = parse_json(tokenizer_config, "tokenizer_config.json", JsonOwner::checkpoint);
  return make(parse_sentencepiece_tokenizer(tokenizer_model, "tokenizer.model", settings));
}

std::unique_ptr<Tokenizer> Tokenizer::parse(std::string_view tokenizer_json,
                                            std::string_view tokenizer_config,
                                            const std::string& file) {
  TokenizerSettings settings;
  if (!tokenizer_config.empty()) {
    settings.config = parse_json(tokenizer_config, "tokenizer_config.json", JsonOwner::checkpoint);
    settings.llama = names_llama_class(*settings.config);
  }
  return make(parse_tokenizer(parse_json(tokenizer_json, file, JsonOwner::checkpoint), settings));
}

std::unique_ptr<Tokenizer> Tokenizer::make(TokenizerParts parts) {
  return std::unique_ptr<Tokenizer>(
      new Tokenizer(std::make_unique<const TokenizerParts>(std::move(parts))));
}

}  // namespace tarsier
