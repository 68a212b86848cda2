#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>

#include "tarsier/base/error.h"
#include "tarsier/text/detokenizer.h"
#include "tarsier/text/tokenizer.h"
#include "tests/text/text_fixtures.h"

namespace tarsier {
namespace {

using Ids = std::vector<std::int64_t>;

std::unique_ptr<Tokenizer> load(const std::string& kind) {
  return Tokenizer::load(TARSIER_SOURCE_DIR "/tests/fixtures/text/llama/" + kind);
}

void expect_encodes(const Tokenizer& tokenizer, const nlohmann::json& rows) {
  for (const auto& row : rows) {
    const auto text = row[0].get<std::string>();
    const auto ids = row[1].get<Ids>();
    ASSERT_EQ(tokenizer.encode(text), ids) << row[0];
    if (!row[2].is_null()) {
      ASSERT_EQ(tokenizer.encode_as_text(text), row[2].get<Ids>()) << row[0];
    }
    ASSERT_EQ(tokenizer.with_sequence_tokens(ids), row[3].get<Ids>()) << row[0];
  }
}

void expect_decodes(const Tokenizer& tokenizer, const nlohmann::json& rows) {
  for (const auto& row : rows) {
    const auto ids = row[0].get<Ids>();
    for (const bool skip_special : {true, false}) {
      const auto expected = row[skip_special ? 1 : 2].get<std::string>();
      ASSERT_EQ(tokenizer.decode(ids, skip_special), expected) << row[0];
      Detokenizer stream(tokenizer, skip_special);
      for (int round = 0; round < 2; ++round) {  // finish() leaves it ready for another text
        std::string text;
        for (const std::int64_t id : ids) text += stream.push(id);
        ASSERT_EQ(text + stream.finish(), expected) << row[0];
      }
    }
  }
}

class LlamaKind : public testing::TestWithParam<const char*> {
 protected:
  const std::string kind_ = GetParam();
  const std::unique_ptr<Tokenizer> tokenizer_ = load(kind_);
  const nlohmann::json cases_ = read_json_fixture("llama/" + kind_ + "/cases.json");
};

TEST_P(LlamaKind, EncodesAsTheReference) {
  ASSERT_GT(cases_["encode"].size(), 200u);
  expect_encodes(*tokenizer_, cases_["encode"]);
}

TEST_P(LlamaKind, DecodesAndStreamsAsTheReference) {
  ASSERT_GE(cases_["decode"].size(), 80u);
  expect_decodes(*tokenizer_, cases_["decode"]);
}

TEST_P(LlamaKind, GivesTextBack) {
  for (const char* text : {"USER: what is it?", "two  spaces", "\u4f60\u597d \U0001F600\n", "x"}) {
    EXPECT_EQ(tokenizer_->decode(tokenizer_->encode(text)), text);
  }
}

TEST_P(LlamaKind, TellsWhatAPromptNeeds) {
  const bool is_yi = kind_.starts_with("yi");
  ASSERT_TRUE(tokenizer_->bos_id() && tokenizer_->eos_id());
  EXPECT_EQ(tokenizer_->adds_bos(), !is_yi);
  EXPECT_EQ(*tokenizer_->bos_id(), 1);
  EXPECT_EQ(*tokenizer_->eos_id(), 2);
  EXPECT_EQ(tokenizer_->spelling_of(2), is_yi ? "<|endoftext|>" : "</s>");
  EXPECT_EQ(tokenizer_->with_sequence_tokens({}), is_yi ? Ids{} : Ids{1});
  const auto image = tokenizer_->id_of("<image>");
  ASSERT_TRUE(image);
  EXPECT_TRUE(tokenizer_->is_special(*image));
  EXPECT_EQ(tokenizer_->encode("<image>").back(), *image);
  EXPECT_EQ(tokenizer_->vocab_size(), *image + 4);
  EXPECT_FALSE(tokenizer_->id_of("<no such token>"));
  EXPECT_EQ(tokenizer_->spelling_of(*tokenizer_->id_of("\u2581the")), "\u2581the");
  EXPECT_EQ(tokenizer_->bytes_of(*tokenizer_->id_of("\u2581the")), " the");
  EXPECT_EQ(tokenizer_->bytes_of(*tokenizer_->id_of("<0xE4>")), "\xE4");
  for (const std::int64_t id : {std::int64_t{-1}, tokenizer_->vocab_size(), INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(tokenizer_->spelling_of(id), "");
    EXPECT_EQ(tokenizer_->bytes_of(id), "");
    EXPECT_EQ(tokenizer_->decode(Ids{id}), "");
  }
}

TEST_P(LlamaKind, SpecialStringsOfAUserStayText) {
  const std::string text = "ignore <image></s><mask> it";
  for (const std::int64_t id : tokenizer_->encode_as_text(text))
    EXPECT_FALSE(tokenizer_->is_special(id) && tokenizer_->spelling_of(id) != "<unk>") << id;
  EXPECT_EQ(tokenizer_->decode(tokenizer_->encode_as_text(text)), text);
}

TEST_P(LlamaKind, RefusesTextThatIsNotUtf8) {
  for (const char* text : {"ab\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8"}) {
    EXPECT_THROW(tokenizer_->encode(text), InputError) << text;
    EXPECT_THROW(tokenizer_->encode_as_text(text), InputError) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, LlamaKind,
                         testing::Values("llama_a", "llama_b", "yi", "llama_slow", "llama_slow_new",
                                         "yi_slow"),
                         [](const auto& each) { return std::string(each.param); });

// The rows of spec 6.3 on the vocabulary at hand: where the real one has 29871 ("▁") and 13 (the
// line end), the same tokens stand.
TEST(LlamaForms, PrefixEveryPieceOrTheFirstOnly) {
  const std::string after_image = "<image>\nDescribe the video in detail. ASSISTANT: ";
  for (const auto& [kind, prefixed] : {std::pair{"llama_a", true},
                                       {"llama_b", false},
                                       {"llama_slow", true},
                                       {"llama_slow_new", false}}) {
    const auto tokenizer = load(kind);
    const auto space = *tokenizer->id_of("\u2581"), line_end = *tokenizer->id_of("<0x0A>");
    const Ids user = tokenizer->with_sequence_tokens(tokenizer->encode("USER: "));
    ASSERT_GE(user.size(), 3u);
    EXPECT_EQ(user.front(), 1) << kind;
    EXPECT_EQ(tokenizer->spelling_of(user[1]), "\u2581USER") << kind;
    EXPECT_EQ(user.back(), space) << kind;

    Ids rest = tokenizer->encode("USER: " + after_image);
    const auto image = std::find(rest.begin(), rest.end(), *tokenizer->id_of("<image>"));
    ASSERT_EQ(Ids(rest.begin(), image), Ids(user.begin() + 1, user.end())) << kind;
    rest.erase(rest.begin(), image + 1);
    if (prefixed) {
      EXPECT_EQ(rest.front(), space) << kind;
      rest.erase(rest.begin());
    }
    EXPECT_EQ(rest.front(), line_end) << kind;
    EXPECT_EQ(rest.back(), space) << kind;
    EXPECT_EQ(tokenizer->spelling_of(rest[1]), "Describe") << kind;
  }
}

TEST(LlamaForms, YiHasNoPrefixAndOneTokenForALineEnd) {
  for (const char* kind : {"yi", "yi_slow"}) {
    const auto tokenizer = load(kind);
    const Ids ids = tokenizer->encode("<image>\n12");
    EXPECT_EQ(ids, (Ids{*tokenizer->id_of("<image>"), *tokenizer->id_of("\n"),
                        *tokenizer->id_of("1"), *tokenizer->id_of("2")}));
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(" a")), " a");
  }
}

TEST(LlamaForms, BothFormsOfMergesAreEqual) {
  auto document = read_json_fixture("llama/llama_a/tokenizer.json");
  ASSERT_TRUE(document["model"]["merges"][0].is_string());
  for (auto& merge : document["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    const auto space = text.find(' ');
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  const auto pairs = Tokenizer::parse(document.dump());
  const auto cases = read_json_fixture("llama/llama_a/cases.json");
  for (const auto& row : cases["encode"])
    ASSERT_EQ(pairs->encode(row[0].get<std::string>()), row[1].get<Ids>());
}

// Every option of the model and every stage, on a tiny vocabulary.
TEST(LlamaOptions, EncodeAndDecodeAsTheReference) {
  const auto fixture = read_json_fixture("llama/options.json");
  ASSERT_EQ(fixture["options"].size(), 24u);
  for (const auto& option : fixture["options"]) {
    SCOPED_TRACE(option["name"]);
    auto document = option["document"];
    const auto missing = option["missing"].get<std::vector<std::string>>();
    auto& vocab = document["model"]["vocab"] = nlohmann::json::object();
    for (const std::string token : fixture["vocab"]) {
      if (std::find(missing.begin(), missing.end(), token) == missing.end())
        vocab[token] = vocab.size();
    }
    const auto tokenizer = Tokenizer::parse(document.dump());
    expect_encodes(*tokenizer, option["encode"]);
    expect_decodes(*tokenizer, option["decode"]);
  }
}

TEST(LlamaStream, HoldsBytesUntilTheirRunEnds) {
  const auto tokenizer = load("llama_a");
  const auto push_all = [&](Detokenizer& stream, const std::string& text) {
    std::string out;
    for (const std::int64_t id : tokenizer->encode(text)) {
      out += stream.push(id);
      EXPECT_EQ(out.find("\uFFFD"), std::string::npos);
    }
    return out;
  };
  Detokenizer stream(*tokenizer);
  EXPECT_EQ(push_all(stream, "\U0001F600"), "");
  EXPECT_EQ(stream.finish(), "\U0001F600");
  EXPECT_EQ(stream.finish(), "");

  EXPECT_EQ(push_all(stream, "\U0001F600 the"), "\U0001F600 the");
  EXPECT_EQ(stream.finish(), "");

  // ByteFallback replaces a whole run that is not UTF-8, a finished character in it included.
  const auto byte = [&](const char* spelling) { return *tokenizer->id_of(spelling); };
  EXPECT_EQ(tokenizer->decode(Ids{byte("<0xE4>"), byte("<0xBD>"), byte("<0xA0>"), byte("<0xFF>")}),
            "\uFFFD\uFFFD\uFFFD\uFFFD");
  // SentencePiece replaces byte by byte, so a character comes out as soon as it is whole.
  const auto slow = load("llama_slow");
  Detokenizer pieces(*slow);
  EXPECT_EQ(pieces.push(byte("<0xE4>")), "");
  EXPECT_EQ(pieces.push(byte("<0xBD>")), "");
  EXPECT_EQ(pieces.push(byte("<0xA0>")), "\u4f60");
  EXPECT_EQ(pieces.push(byte("<0xFF>")), "\uFFFD");
  EXPECT_EQ(pieces.push(byte("<0xE4>")), "");
  EXPECT_EQ(pieces.finish(), "\uFFFD");
}

TEST(LlamaStream, StripsOneSpaceOfTheWholeText) {
  for (const char* kind : {"llama_a", "llama_b", "llama_slow", "llama_slow_new"}) {
    const auto tokenizer = load(kind);
    const auto space = *tokenizer->id_of("\u2581"), the = *tokenizer->id_of("\u2581the");
    Detokenizer stream(*tokenizer);
    EXPECT_EQ(stream.push(space), "") << kind;
    EXPECT_EQ(stream.push(the), " the") << kind;
    EXPECT_EQ(stream.push(1), "") << kind;  // special, skipped, no new beginning
    EXPECT_EQ(stream.push(the), " the") << kind;
    EXPECT_EQ(stream.finish(), "") << kind;
    EXPECT_EQ(stream.push(the), "the") << kind;  // the next text
  }
}

TEST(LlamaSettings, PutTheTokensTheConfigSays) {
  const auto document = read_fixture("llama/llama_a/tokenizer.json");
  const auto around = [&](const std::string& config) {
    return Tokenizer::parse(document, config)->with_sequence_tokens(Ids{7});
  };
  EXPECT_EQ(around(""), (Ids{1, 7}));  // what the file's own post-processor says
  EXPECT_EQ(around(R"({"tokenizer_class": "LlamaTokenizer"})"), (Ids{1, 7}));
  EXPECT_EQ(around(R"({"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": false})"), Ids{7});
  EXPECT_EQ(around(R"({"tokenizer_class": "LlamaTokenizer", "add_eos_token": true})"),
            (Ids{1, 7, 2}));
  EXPECT_EQ(around(R"({"add_bos_token": false, "add_eos_token": true, "eos_token": "</s>"})"),
            (Ids{7, 2}));
  EXPECT_EQ(around(R"({"tokenizer_class": "LlamaTokenizer",
                       "bos_token": {"__type": "AddedToken", "content": "</s>"}})"),
            (Ids{2, 7}));

  auto bare = nlohmann::json::parse(document);
  bare["post_processor"] = nullptr;
  const auto without = Tokenizer::parse(bare.dump());
  EXPECT_FALSE(without->adds_bos());
  EXPECT_FALSE(without->bos_id());
  EXPECT_FALSE(without->eos_id());
  const auto with = Tokenizer::parse(bare.dump(), R"({"tokenizer_class": "LlamaTokenizer"})");
  EXPECT_TRUE(with->adds_bos());
  EXPECT_EQ(with->eos_id(), 2);

  const auto qwen = Tokenizer::parse(read_fixture("qwen_small.json"),
                                     R"({"add_bos_token": true, "bos_token": "<|im_start|>"})");
  EXPECT_FALSE(qwen->adds_bos());  // that class has no such option
  EXPECT_EQ(qwen->bos_id(), qwen->id_of("<|im_start|>"));
}

TEST(LlamaSettings, GiveATokenWithARoleTheNextId) {
  const auto document = read_fixture("llama/llama_a/tokenizer.json");
  const auto size = Tokenizer::parse(document)->vocab_size();
  const auto tokenizer =
      Tokenizer::parse(document, R"({"tokenizer_class": "LlamaTokenizer", "pad_token": "<pad>",
                    "additional_special_tokens": ["<a>", "<video>", {"content": "<b>"}]})");
  EXPECT_EQ(tokenizer->encode("<pad>"), Ids{size});
  EXPECT_EQ(tokenizer->encode("<a>"), Ids{size + 1});
  EXPECT_EQ(tokenizer->encode("<b>"), Ids{size + 2});
  EXPECT_TRUE(tokenizer->is_special(*tokenizer->id_of("<video>")));
  EXPECT_EQ(tokenizer->vocab_size(), size + 3);
}

double seconds_of(const std::function<void()>& action) {
  const std::clock_t start = std::clock();  // of the processor: other programs do not count
  action();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// A whole text is one word here, so a scan for each merge would take 64 times as long for eight
// times the text.
TEST(LlamaTime, LongTextsTakeLinearTime) {
  for (const char* kind : {"llama_a", "llama_b", "llama_slow"}) {
    const auto tokenizer = load(kind);
    const std::pair<const char*, std::string> units[] = {
        {"one letter", "a"},     {"spaces", " "},           {"a sentence", "the video "},
        {"bytes", "\U0001F600"}, {"half a token", "<imag"}, {"tokens", "<image> "}};
    for (const auto& [name, unit] : units) {
      std::string short_text, long_text;
      while (short_text.size() < (1 << 14)) short_text += unit;
      for (int i = 0; i < 8; ++i) long_text += short_text;
      double best_short = 1e9, best_long = 1e9;
      for (int i = 0; i < 3; ++i) {
        best_short = std::min(best_short, seconds_of([&] { tokenizer->encode(short_text); }));
        best_long = std::min(best_long, seconds_of([&] { tokenizer->encode(long_text); }));
      }
      // Eight times the text: 8 where time is linear, 64 where it is quadratic.
      EXPECT_LT(best_long, 24 * best_short + 0.005) << kind << ", " << name;
    }
  }
}

}  // namespace
}  // namespace tarsier
