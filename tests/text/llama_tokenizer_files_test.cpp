// Model files of Llama's kind that are cut, contradictory or hostile.
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
using nlohmann::json;
using Ids = std::vector<std::int64_t>;

class LlamaFile : public testing::Test {
 protected:
  const json good_ = read_json_fixture("llama/llama_a/tokenizer.json");
  const json form_b_ = read_json_fixture("llama/llama_b/tokenizer.json");

  static std::string refusal(const std::string& text, const std::string& config = {}) {
    return message_of<CheckpointError>([&] { Tokenizer::parse(text, config); });
  }
  // What is said of the file with one value changed, without the file's name.
  std::string with(const char* pointer, json value) const { return with(good_, pointer, value); }
  static std::string with(json document, const char* pointer, json value) {
    document[json::json_pointer(pointer)] = std::move(value);
    const std::string message = refusal(document.dump());
    const std::string file = "tokenizer.json: ";
    return message.starts_with(file) ? message.substr(file.size()) : message;
  }
};

TEST_F(LlamaFile, EveryCutIsRefused) {
  const std::string whole = read_fixture("llama/llama_a/tokenizer.json");
  for (std::size_t size = 0; size < whole.size() - 2; size += whole.size() / 97)
    EXPECT_TRUE(refusal(whole.substr(0, size)).starts_with("tokenizer.json")) << size;
}

TEST_F(LlamaFile, EveryValueOfAnotherTypeIsRefused) {
  // Each value in turn becomes each other type; most must be refused, all by name, none may crash.
  const json flat = [&] {
    json small = good_;
    small["model"]["vocab"] = json::object();
    small["model"]["merges"] = json::array();
    small["added_tokens"].erase(small["added_tokens"].begin() + 2, small["added_tokens"].end());
    return small.flatten();
  }();
  const json others[] = {
      nullptr, true, -1, 1e300, "x", json::array(), json::object(), json::array({json::object()})};
  int refused = 0;
  for (const auto& [pointer, value] : flat.items()) {
    for (const json& other : others) {
      json document = good_;
      document[json::json_pointer(pointer)] = other;
      const std::string message = refusal(document.dump());
      EXPECT_TRUE(message == "no error" || message.starts_with("tokenizer.json")) << message;
      refused += message != "no error";
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(LlamaFile, NamesWhatTheVocabularyHasWrong) {
  EXPECT_EQ(with("/model/vocab/zzz", 5).substr(0, 33), "model.vocab.zzz: has id 5, as '<0");
  EXPECT_NE(with("/model/vocab/zzz", 1LL << 40).find("model.vocab.zzz"), std::string::npos);
  EXPECT_NE(with("/model/vocab/zzz", -1).find("model.vocab.zzz"), std::string::npos);
  EXPECT_NE(with("/model/vocab/zzz", 1.5).find("model.vocab.zzz"), std::string::npos);
  EXPECT_EQ(with("/model/vocab", json::array()),
            "model.vocab: is not an object; expected token -> id");
  EXPECT_EQ(with("/model/unk_token", "<none>"),
            "model.unk_token: '<none>' is not in the vocabulary; add it, or use null");
  json document = good_;
  document["model"]["vocab"].erase("<0xE4>");
  EXPECT_EQ(refusal(document.dump()), "no error");  // the unknown token stands in
  document["model"]["unk_token"] = nullptr;
  EXPECT_EQ(
      refusal(document.dump()),
      "tokenizer.json: model.vocab: has no token '<0xE4>', which byte_fallback needs; add it, "
      "or an unk_token to stand for it");
  document["model"]["byte_fallback"] = false;
  EXPECT_EQ(
      refusal(document.dump()),
      "tokenizer.json: model: has neither byte_fallback nor an unk_token; a character outside "
      "the vocabulary needs one of them");
}

TEST_F(LlamaFile, NamesWhatTheMergesHaveWrong) {
  EXPECT_NE(with("/model/merges/7", "abc").find("model.merges[7]: is neither"), std::string::npos);
  EXPECT_NE(with("/model/merges/7", "a b c").find("model.merges[7]: is neither"),
            std::string::npos);
  EXPECT_NE(with("/model/merges/7", json::array({"a", 1})).find("model.merges[7]: is neither"),
            std::string::npos);
  EXPECT_NE(with("/model/merges/7", " b").find("model.merges[7]: needs the token ''"),
            std::string::npos);
  EXPECT_NE(with("/model/merges/7", "e zzzz").find("model.merges[7]: needs the token 'zzzz'"),
            std::string::npos);
  EXPECT_EQ(with("/model/merges", "a b"),
            "model.merges: is not an array; expected a list of pairs");
}

// No list of merges can go round: a merge makes a longer token. Ones that undo or repeat each other
// end like any others.
TEST_F(LlamaFile, MergesThatFollowEachOtherEnd) {
  json document = good_;
  document["model"]["vocab"] = {{"<unk>", 0}, {"a", 1}, {"aa", 2}, {"aaa", 3}, {"aaaa", 4}};
  document["model"]["byte_fallback"] = false;
  document["model"]["merges"] = {"aaa a", "a aaa", "aa aa", "aa a", "a aa", "a a", "a a"};
  document["added_tokens"] = json::array();
  document["normalizer"] = nullptr;
  document["post_processor"] = nullptr;
  const auto tokenizer = Tokenizer::parse(document.dump());
  EXPECT_EQ(tokenizer->encode("aaaaa"), (Ids{4, 1}));
  EXPECT_EQ(tokenizer->encode(std::string(4000, 'a')).size(), 1000u);
}

TEST_F(LlamaFile, NamesAStageItDoesNotKnow) {
  EXPECT_EQ(with("/model/type", "Unigram"), "model.type: is 'Unigram'; only 'BPE' is supported");
  EXPECT_EQ(with("/normalizer/normalizers/1/pattern", {{"Regex", " +"}}),
            "normalizer.normalizers[1].pattern.Regex: is a regular expression; only String is "
            "supported");
  EXPECT_EQ(with("/normalizer/normalizers/1/pattern/String", ""),
            "normalizer.normalizers[1].pattern.String: is empty; give the string to replace");
  EXPECT_EQ(with("/normalizer/normalizers/1/type", "Strip"),
            "normalizer.normalizers[1].type: is 'Strip'; NFC, Prepend, Replace and Sequence are "
            "supported");
  EXPECT_EQ(with("/pre_tokenizer", {{"type", "Whitespace"}}),
            "pre_tokenizer.type: is 'Whitespace'; Sequence, Split, ByteLevel and Metaspace are "
            "supported");
  EXPECT_EQ(with(form_b_, "/pre_tokenizer/prepend_scheme", "last"),
            "pre_tokenizer.prepend_scheme: is 'last'; first, always and never are supported");
  EXPECT_EQ(
      with(form_b_, "/pre_tokenizer/add_prefix_space", false),
      "pre_tokenizer.add_prefix_space: is false, and prepend_scheme 'first'; write the scheme "
      "'never' for no prefix");
  for (const char* text : {"", "ab"}) {
    EXPECT_EQ(with(form_b_, "/pre_tokenizer/replacement", text),
              "pre_tokenizer.replacement: is not one character; it stands for a space");
  }
  EXPECT_EQ(with(form_b_, "/pre_tokenizer/surprise", 1),
            "pre_tokenizer.surprise: is not a key this program knows; the file may be of a newer "
            "format");
  EXPECT_EQ(
      with("/decoder/decoders/0/type", "CTC"),
      "decoder.decoders[0].type: is 'CTC'; ByteLevel, Replace, Metaspace, ByteFallback, Fuse, "
      "Strip and Sequence are supported");
  EXPECT_EQ(with("/decoder", {{"type", "ByteLevel"}}),
            "pre_tokenizer: has no ByteLevel stage, the decoder is ByteLevel; a file has both or "
            "neither");
}

TEST_F(LlamaFile, NamesDecodersOutOfOrder) {
  const json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  const json fuse = {{"type", "Fuse"}}, bytes = {{"type", "ByteFallback"}},
             level = {{"type", "ByteLevel"}};
  const json replace = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "b"}};
  const auto order = [&](json decoders) { return with("/decoder/decoders", std::move(decoders)); };
  const std::string hint = "; the order Replace, ByteFallback, Fuse, Strip is supported";
  EXPECT_EQ(order(json::array({strip})),
            "decoder.decoders[0].type: is 'Strip' before Fuse; only whole texts can be stripped");
  EXPECT_EQ(order(json::array({bytes, replace})),
            "decoder.decoders[1].type: is 'Replace' after ByteFallback or Fuse" + hint);
  EXPECT_EQ(order(json::array({fuse, bytes})),
            "decoder.decoders[1].type: is 'ByteFallback' after ByteFallback or Fuse" + hint);
  EXPECT_EQ(order(json::array({fuse, strip, strip})),
            "decoder.decoders[2].type: is 'Strip' after Strip" + hint);
  EXPECT_EQ(order(json::array({level, fuse})),
            "decoder.decoders[1].type: is 'Fuse' after ByteLevel" + hint);
  EXPECT_EQ(order(json::array({bytes, level})),
            "decoder.decoders[1].type: is 'ByteLevel' after another stage" + hint);
  EXPECT_EQ(with("/decoder/decoders/3/content", "ab"),
            "decoder.decoders[3].content: is not one character; it names what is stripped");
  EXPECT_NE(with("/decoder/decoders/3/stop", 1).find("decoder.decoders[3].stop"),
            std::string::npos);
  EXPECT_NE(with("/decoder/decoders/3/start", 1 << 30).find("decoder.decoders[3].start"),
            std::string::npos);
}

// A few replacements in turn could make gigabytes of one line, or of the vocabulary itself.
TEST_F(LlamaFile, RefusesStagesThatBlowTextUp) {
  const json grow = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aaaaaaaaa"}};
  EXPECT_EQ(
      with("/normalizer/normalizers", json::array({grow, grow})),
      "normalizer.normalizers[1]: and the stages before it make a text over 64 times as long; "
      "the file is damaged");
  EXPECT_EQ(with("/decoder/decoders", json::array({grow, grow})),
            "decoder.decoders[1]: and the stages before it make a text over 64 times as long; the "
            "file is damaged");
  json huge = grow;
  huge["content"] = std::string(1 << 20, 'a');
  EXPECT_NE(with("/normalizer", huge).find("normalizer: and the stages"), std::string::npos);
  EXPECT_EQ(with("/normalizer/normalizers/0/prepend", std::string(17, 'a')),
            "normalizer.normalizers[0].prepend: is over 16 bytes long; the file is damaged");
  const json step = {{"type", "Prepend"}, {"prepend", "a"}};
  EXPECT_EQ(with("/normalizer/normalizers", std::vector<json>(17, step)),
            "normalizer.normalizers[16]: is one of over 16 stages; the file is damaged");
  const json stage = {{"type", "Metaspace"}, {"replacement", "_"}};
  EXPECT_EQ(with("/pre_tokenizer",
                 {{"type", "Sequence"}, {"pretokenizers", std::vector<json>(17, stage)}}),
            "pre_tokenizer.pretokenizers[16]: is one of over 16 stages; the file is damaged");
}

TEST_F(LlamaFile, NamesContradictionsBetweenFiles) {
  const std::string document = good_.dump();
  EXPECT_EQ(
      refusal(document, R"({"added_tokens_decoder": {"1": {"content": "<x>"}}})").substr(0, 81),
      "tokenizer_config.json: added_tokens_decoder.1: gives '<x>' id 1, which is '<s>' i");
  EXPECT_NE(refusal(document, R"({"added_tokens_decoder": {"9": {"content": "</s>"}}})")
                .find("gives '</s>' id 9, the vocabulary gives 2"),
            std::string::npos);
  json bare = good_;
  bare["post_processor"] = nullptr;
  EXPECT_EQ(refusal(bare.dump(), R"({"add_bos_token": true, "bos_token": null})"),
            "tokenizer_config.json: add_bos_token: is true, but there is no bos_token in the "
            "vocabulary; name the bos_token, or write false");
  EXPECT_NE(
      refusal(document, R"({"add_eos_token": 1})").find("tokenizer_config.json: add_eos_token"),
      std::string::npos);
  EXPECT_NE(refusal(document, R"({"tokenizer_class": "LlamaTokenizer", "bos_token": 5})")
                .find("tokenizer_config.json: bos_token"),
            std::string::npos);
  EXPECT_EQ(refusal(document, R"({"tokenizer_class": "LlamaTokenizer", "pad_token": ""})"),
            "tokenizer_config.json: pad_token: is empty; check the file");
  EXPECT_NE(with("/post_processor/special_tokens/<s>/ids", json::array({1 << 19}))
                .find("ids: holds 524288, which is no token"),
            std::string::npos);
  EXPECT_NE(with("/post_processor/special_tokens", json::object()).find("special_tokens.<s>"),
            std::string::npos);
}

class LlamaFolder : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("tarsier-llama-folder-" + std::to_string(::getpid()));
};

// The files of the first generation: <image> in added_tokens.json alone, roles in
// special_tokens_map.json.
TEST_F(LlamaFolder, ReadsEveryFileBesideTheVocabulary) {
  json document = read_json_fixture("llama/llama_a/tokenizer.json");
  document["added_tokens"] = json::array();
  document["post_processor"] = nullptr;
  write("tokenizer.json", document.dump());
  const auto first = static_cast<std::int64_t>(document["model"]["vocab"].size());
  write("added_tokens.json", json{{"<image>", first}}.dump());
  write("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer"})");
  write("special_tokens_map.json",
        R"({"eos_token": {"content": "</s>"}, "additional_special_tokens": ["<image>"]})");
  auto tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer->encode("<image>a").front(), first);
  EXPECT_TRUE(tokenizer->is_special(first));
  EXPECT_EQ(tokenizer->encode("</s>"), Ids{2});
  EXPECT_EQ(tokenizer->with_sequence_tokens(Ids{}), Ids{1});
  EXPECT_EQ(tokenizer->eos_id(), 2);

  write("special_tokens_map.json", "{");
  EXPECT_TRUE(message_of<CheckpointError>([&] {
                Tokenizer::load(folder_);
              }).starts_with("special_tokens_map.json"));
}

TEST_F(LlamaFolder, PrefersTokenizerJson) {
  write("tokenizer.model", "no model");
  EXPECT_TRUE(message_of<CheckpointError>([&] {
                Tokenizer::load(folder_);
              }).starts_with("tokenizer.model: "));
  write("tokenizer.json", read_fixture("llama/llama_a/tokenizer.json"));
  EXPECT_TRUE(Tokenizer::load(folder_)->id_of("<image>"));
}

}  // namespace
}  // namespace tarsier
