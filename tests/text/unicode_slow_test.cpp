// Equality with the `tokenizers` library on every Unicode scalar value, with Qwen's real
// vocabulary. Needs a Python that has the wheels named in tools/fixtures/qwen_tokenizer_json.py,
// through the environment: TARSIER_REFERENCE_PYTHON.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tarsier/text/tokenizer.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int64_t>;

class RealVocabulary : public testing::Test {
 protected:
  // Writes the vocabulary, and the expected ids of the contexts whose numbers are given.
  void make_files(const std::string& contexts) {
    const std::string command = std::string("'") + std::getenv("TARSIER_REFERENCE_PYTHON") +
                                "' '" TARSIER_SOURCE_DIR
                                "/tools/fixtures/qwen_tokenizer_json.py' '" +
                                folder_.string() + "' " + contexts;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    tokenizer_ = Tokenizer::load(folder_);
  }
  void SetUp() override {
    if (!std::getenv("TARSIER_REFERENCE_PYTHON")) {
      GTEST_SKIP() << "TARSIER_REFERENCE_PYTHON is not set";
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ =
      fs::temp_directory_path() / ("tarsier-unicode-" + std::to_string(::getpid()));
  std::unique_ptr<Tokenizer> tokenizer_;
};

struct Context {
  int number;  // in the script
  const char* name;
  std::string before, after;
};

class EveryScalarValue : public RealVocabulary, public testing::WithParamInterface<Context> {};

TEST_P(EveryScalarValue, IsEncodedAsTheReferenceDoes) {
  const Context& context = GetParam();
  make_files(std::to_string(context.number));
  std::ifstream expected(folder_ / "expected.bin", std::ios::binary);
  const auto read_ids = [&] {
    Ids ids(static_cast<std::size_t>(expected.get()));
    for (auto& id : ids) {
      unsigned char bytes[4] = {};
      expected.read(reinterpret_cast<char*>(bytes), 4);
      id = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<std::int64_t>(bytes[3]) << 24;
    }
    return ids;
  };
  std::int64_t different = 0;
  std::string examples;
  for (char32_t c = 0; c < 0x110000; c = c == 0xD7FF ? 0xE000 : c + 1) {
    std::string text = context.before;
    append_utf8(text, c);
    text += context.after;
    const Ids ids = read_ids();
    ASSERT_TRUE(expected) << "expected.bin is cut";
    if (tokenizer_->encode(text) == ids) continue;
    if (++different <= 100) examples += std::to_string(static_cast<std::uint32_t>(c)) + " ";
  }
  EXPECT_EQ(different, 0) << "code points: " << examples;
  EXPECT_EQ(expected.get(), EOF);
}

INSTANTIATE_TEST_SUITE_P(Contexts, EveryScalarValue,
                         testing::Values(Context{0, "alone", "", ""},
                                         Context{1, "between_letters", "a", "b"},
                                         Context{2, "after_a_digit", " 1", " "}),
                         [](const auto& each) { return std::string(each.param.name); });

// Ids of spec/models-tarsier.md 6.2, produced with a published Qwen tokenizer.json.
TEST_F(RealVocabulary, GivesThePublishedIds) {
  make_files("");
  const std::pair<const char*, Ids> golden[] = {
      {"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n",
       {151644, 8948, 198, 2610, 525, 264, 10950, 17847, 13, 151645, 198, 151644, 872, 198}},
      {"<|im_end|>\n<|im_start|>assistant\n", {151645, 198, 151644, 77091, 198}},
      {"Describe the video in detail.", {74785, 279, 2766, 304, 7716, 13}},
      {"Hello world", {9707, 1879}},
      {" Hello world", {21927, 1879}},
      {" Answer: (", {21806, 25, 320}},
      {"Question: What is 12345?\n(A) Yes.\n(B) No.",
       {14582, 25, 3555, 374, 220, 16, 17, 18, 19, 20, 5267, 4346, 8, 7414, 624, 5349, 8, 2308,
        13}},
      {"cafe\u0301 你好，世界。 I'LL  don't\n\n  x",
       {924, 58858, 220, 108386, 3837, 99489, 1773, 358, 6, 4086, 220, 1513, 944, 271, 220, 856}},
      {"😀 a\t b ", {141334, 264, 197, 293, 220}},
  };
  for (const auto& [text, ids] : golden) EXPECT_EQ(tokenizer_->encode(text), ids) << text;
  EXPECT_EQ(tokenizer_->vocab_size(), 151657);
  EXPECT_EQ(tokenizer_->id_of("<|image_pad|>"), 151655);
  EXPECT_EQ(tokenizer_->decode(Ids{151800}), "");  // of the padded vocabulary
}

}  // namespace
}  // namespace tarsier
