#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/text/tokenizer_parts.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

// What Qwen2's own tokenizer does, for directories that carry only vocab.json and merges.txt.
constexpr std::string_view kQwen2Pipeline = R"json({
  "normalizer": {"type": "NFC"},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
    {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
  "decoder": {"type": "ByteLevel"}
})json";

std::optional<JsonView> read_if_there(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  return read_json(path, JsonOwner::checkpoint);
}

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

}  // namespace

std::unique_ptr<Tokenizer> Tokenizer::load(const fs::path& directory) {
  auto tokenizer = read_if_there(directory / "tokenizer.json");
  if (!tokenizer && fs::exists(directory / "vocab.json"))
    tokenizer = from_vocabulary_and_merges(directory);
  if (!tokenizer) {
    throw CheckpointError({(directory / "tokenizer.json").string(),
                           "is missing, and there is no vocab.json either",
                           "download the whole model directory"});
  }
  const TokenizerDocuments documents{*tokenizer, read_if_there(directory / "tokenizer_config.json"),
                                     read_if_there(directory / "added_tokens.json")};
  return std::unique_ptr<Tokenizer>(
      new Tokenizer(std::make_unique<const TokenizerParts>(parse_tokenizer(documents))));
}

std::unique_ptr<Tokenizer> Tokenizer::parse(std::string_view tokenizer_json,
                                            std::string_view tokenizer_config,
                                            const std::string& file) {
  TokenizerDocuments documents{parse_json(tokenizer_json, file, JsonOwner::checkpoint),
                               std::nullopt, std::nullopt};
  if (!tokenizer_config.empty()) {
    documents.config = parse_json(tokenizer_config, "tokenizer_config.json", JsonOwner::checkpoint);
  }
  return std::unique_ptr<Tokenizer>(
      new Tokenizer(std::make_unique<const TokenizerParts>(parse_tokenizer(documents))));
}

}  // namespace tarsier
