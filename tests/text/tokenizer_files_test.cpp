#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tarsier/base/error.h"
#include "tarsier/text/tokenizer.h"
#include "tests/text/text_fixtures.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int64_t>;

class TokenizerFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string refusal() const {
    return message_of<CheckpointError>([&] { Tokenizer::load(folder_); });
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("tarsier-tokenizer-files-" + std::to_string(::getpid()));
  const std::string whole_ = read_fixture("qwen_small.json");
};

TEST_F(TokenizerFiles, VocabularyAndMergesStandInForTokenizerJson) {
  const nlohmann::json document = nlohmann::json::parse(whole_);
  write("vocab.json", document["model"]["vocab"].dump());
  std::string merges = "#version: 0.2\n";
  for (const auto& merge : document["model"]["merges"]) merges += merge.get<std::string>() + "\n";
  write("merges.txt", merges);
  nlohmann::json added;
  for (const auto& token : document["added_tokens"])
    added[token["content"].get<std::string>()] = token["id"];
  write("added_tokens.json", added.dump());
  write("tokenizer_config.json",
        R"({"eos_token": "<|im_end|>", "pad_token": {"content": "<|endoftext|>"},
    "additional_special_tokens": ["<|im_start|>", "<|vision_start|>", "<|image_pad|>"]})");
  const auto tokenizer = Tokenizer::load(folder_);
  const nlohmann::json cases = read_json_fixture("qwen_small.cases.json");
  for (const auto& row : cases["encode"]) {
    ASSERT_EQ(tokenizer->encode(row[0].get<std::string>()), row[1].get<Ids>()) << row[0];
  }
  EXPECT_TRUE(tokenizer->is_special(*tokenizer->id_of("<|im_end|>")));
  EXPECT_TRUE(tokenizer->is_special(*tokenizer->id_of("<|endoftext|>")));
  EXPECT_FALSE(tokenizer->is_special(*tokenizer->id_of("<|video_pad|>")));

  fs::remove(folder_ / "merges.txt");
  EXPECT_NE(refusal().find("merges.txt: is missing"), std::string::npos);
}

TEST_F(TokenizerFiles, NamesTheMissingFile) {
  EXPECT_NE(refusal().find("tokenizer.json: is missing"), std::string::npos);
}

TEST_F(TokenizerFiles, EveryCutOfTheFileIsRefused) {
  for (std::size_t size = 0; size < whole_.size() - 2; size += whole_.size() / 37) {
    write("tokenizer.json", whole_.substr(0, size));
    EXPECT_EQ(refusal().substr(0, 14), "tokenizer.json") << size;
  }
}

TEST_F(TokenizerFiles, ReadsTheWholeDirectory) {
  write("tokenizer.json", whole_);
  EXPECT_TRUE(Tokenizer::load(folder_)->id_of("<|im_end|>"));
  write("added_tokens.json", R"({"<|im_end|>": 5})");
  EXPECT_EQ(refusal().substr(0, 50), "added_tokens.json: <|im_end|>: gives '<|im_end|>' ");
  write("added_tokens.json", "[");
  EXPECT_EQ(refusal().substr(0, 17), "added_tokens.json");
}

}  // namespace
}  // namespace tarsier
