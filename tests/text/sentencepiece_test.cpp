#include <gtest/gtest.h>

#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/text/sentencepiece_file.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/text/wire_format.h"
#include "tests/text/text_fixtures.h"

namespace tarsier {
namespace {

using Ids = std::vector<std::int64_t>;
using Kind = SentencePieceFile::Kind;

const std::string& whole_model() {
  static const std::string bytes = read_fixture("llama/llama_slow/tokenizer.model");
  return bytes;
}

std::string refusal(const std::string& bytes, const std::string& config = {}) {
  return message_of<CheckpointError>([&] { Tokenizer::parse_sentencepiece(bytes, config); });
}

class SentencePiece : public testing::Test {
 protected:
  SentencePieceFile file_ = parse_sentencepiece(whole_model(), "tokenizer.model");
  std::string refused() const { return refusal(serialize(file_)); }
};

TEST_F(SentencePiece, ReadsTheFieldsThatDecideIds) {
  ASSERT_EQ(file_.pieces.size(), 900u);
  EXPECT_EQ(file_.pieces[0].text, "<unk>");
  EXPECT_EQ(file_.pieces[0].kind, Kind::unknown);
  EXPECT_EQ(file_.pieces[1].kind, Kind::control);
  EXPECT_EQ(file_.pieces[3].text, "<0x00>");
  EXPECT_EQ(file_.pieces[3].kind, Kind::byte);
  EXPECT_EQ(file_.pieces[899].kind, Kind::normal);
  EXPECT_LT(file_.pieces[899].score, file_.pieces[300].score);
  EXPECT_TRUE(file_.add_dummy_prefix);
  EXPECT_FALSE(file_.remove_extra_whitespaces);
  EXPECT_TRUE(file_.escape_whitespaces);
  const auto yi = parse_sentencepiece(read_fixture("llama/yi_slow/tokenizer.model"), "yi");
  EXPECT_FALSE(yi.add_dummy_prefix);
  EXPECT_EQ(yi.pieces[6].text, "<|im_start|>");
  EXPECT_EQ(yi.pieces[6].kind, Kind::user_defined);
}

TEST_F(SentencePiece, WritesWhatItRead) {
  const std::string bytes = serialize(file_);
  EXPECT_EQ(serialize(parse_sentencepiece(bytes, "again")), bytes);
  const auto ours = Tokenizer::parse_sentencepiece(bytes);
  const auto theirs = Tokenizer::parse_sentencepiece(whole_model());
  for (const char* text : {"USER: the video", "  a\n", "\u4f60\U0001F600"})
    EXPECT_EQ(ours->encode(text), theirs->encode(text));
}

TEST_F(SentencePiece, EveryCutIsRefused) {
  const std::string& whole = whole_model();
  for (std::size_t size = 0; size < whole.size(); size += 61) {
    const std::string message = refusal(whole.substr(0, size));
    EXPECT_TRUE(message.starts_with("tokenizer.model: ")) << size << ": " << message;
  }
  EXPECT_EQ(refusal(""),
            "tokenizer.model: trainer_spec.model_type: is 1; only 2 (BPE) is supported");
}

TEST_F(SentencePiece, NamesBytesThatAreNoMessage) {
  const auto said = [](std::string_view bytes) { return refusal(std::string(bytes)); };
  const std::string hint = "; the file is cut, or no SentencePiece model";
  EXPECT_EQ(said("\x0A"), "tokenizer.model: ends inside a number at byte 1" + hint);
  EXPECT_EQ(said("\x0A\x05zz"),
            "tokenizer.model: has a field that is longer than the file at byte 2" + hint);
  EXPECT_EQ(said("\x0D\x01\x02"), "tokenizer.model: ends inside a number at byte 1" + hint);
  EXPECT_EQ(said("\x0B"), "tokenizer.model: has a field of an unknown type at byte 1" + hint);
  EXPECT_EQ(said(std::string_view("\x00", 1)), "tokenizer.model: has a field 0 at byte 1" + hint);
  EXPECT_EQ(said(std::string(11, '\xFF')),
            "tokenizer.model: has a number of over 64 bits at byte 10" + hint);
  EXPECT_EQ(said("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
            "tokenizer.model: has a field that is longer than the file at byte 11" + hint);
  EXPECT_EQ(said("\x08\x05"),
            "tokenizer.model: field 1: has wire type 0, expected 2; the file is damaged, or no "
            "SentencePiece model");
  std::string piece, model;
  write_bytes(piece, 1, "a");
  write_int(piece, 3, 9);
  write_bytes(model, 1, piece);
  EXPECT_EQ(said(model), "tokenizer.model: pieces[0].type: is 9; kinds are 1 to 6");
}

TEST_F(SentencePiece, NamesThePieceThatIsWrong) {
  const auto good = file_;
  const auto with = [&](SentencePieceFile::Piece piece) {
    file_ = good;
    file_.pieces[899] = std::move(piece);
    return refused();
  };
  EXPECT_EQ(with({"", 0}), "tokenizer.model: pieces[899].piece: is empty; the file is damaged");
  EXPECT_EQ(with({"\xFF", 0}),
            "tokenizer.model: pieces[899].piece: is not UTF-8 text; the file is damaged");
  EXPECT_EQ(with({std::string("a\0b", 3), 0}),
            "tokenizer.model: pieces[899].piece: is not UTF-8 text; the file is damaged");
  EXPECT_EQ(with({std::string(513, 'a'), 0}),
            "tokenizer.model: pieces[899].piece: has 513 bytes; at most 512 are supported");
  EXPECT_EQ(with({"zz", std::numeric_limits<float>::quiet_NaN()}),
            "tokenizer.model: pieces[899].score: is not a finite number; the file is damaged");
  EXPECT_EQ(
      with({"</s>", 0}),
      "tokenizer.model: pieces[899].piece: is '</s>', as an earlier one is; pieces must differ");
  EXPECT_EQ(with({"<0xe4>", 0, Kind::byte}),
            "tokenizer.model: pieces[899].piece: is '<0xe4>'; bytes are '<0x00>' to '<0xFF>'");
  EXPECT_EQ(with({"zz", 0, Kind::unknown}),
            "tokenizer.model: pieces: has 2 unknown pieces; a model has one");
  file_ = good;
  file_.pieces[3] = {"zz", 0};
  EXPECT_EQ(refused(),
            "tokenizer.model: pieces: has pieces for 255 bytes; byte fallback needs all 256");
}

TEST_F(SentencePiece, NamesKindsItDoesNotKnow) {
  std::string model = serialize(file_), trainer, normalizer;
  write_int(trainer, 3, 1);
  write_bytes(model, 2, trainer);  // the last one counts
  EXPECT_EQ(refusal(model),
            "tokenizer.model: trainer_spec.model_type: is 1; only 2 (BPE) is supported");
  model = serialize(file_);
  trainer.clear();
  write_int(trainer, 35, 0);
  write_bytes(model, 2, trainer);
  EXPECT_EQ(refusal(model),
            "tokenizer.model: trainer_spec.byte_fallback: is false; only models with it are "
            "supported");
  for (const int spec : {3, 5}) {
    model = serialize(file_);
    normalizer.clear();
    write_bytes(normalizer, 2, "\xFF\xFF\xFF\x7F");
    write_bytes(model, static_cast<std::uint64_t>(spec), normalizer);
    EXPECT_EQ(refusal(model),
              std::string("tokenizer.model: ") + (spec == 3 ? "" : "de") +
                  "normalizer_spec.precompiled_charsmap: is not empty; only models trained with "
                  "identity normalisation (Llama, Yi) are supported");
  }
}

TEST_F(SentencePiece, IgnoresWhatItsWriterTestedItselfWith) {
  std::string model = whole_model(), samples, sample;
  write_bytes(sample, 1, "the");
  write_bytes(sample, 2, "wrong");
  write_bytes(samples, 1, sample);
  write_bytes(model, 4, samples);
  EXPECT_EQ(refusal(model), "no error");
}

TEST_F(SentencePiece, UnusedPiecesAreTakenApartAgain) {
  auto unused = file_;
  const auto the = *Tokenizer::parse_sentencepiece(whole_model())->id_of("\u2581the");
  unused.pieces[static_cast<std::size_t>(the)].kind = Kind::unused;
  const auto tokenizer = Tokenizer::parse_sentencepiece(serialize(unused));
  const Ids ids = tokenizer->encode("the");
  EXPECT_GT(ids.size(), 1u);
  EXPECT_EQ(tokenizer->decode(ids), "the");
}

TEST_F(SentencePiece, ModelsThatTrimSpacesDecodeWithoutThem) {
  file_.remove_extra_whitespaces = true;
  const auto tokenizer = Tokenizer::parse_sentencepiece(serialize(file_));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("  the   video ")), "the video");
  const auto space = *tokenizer->id_of("\u2581"), the = *tokenizer->id_of("\u2581the");
  EXPECT_EQ(tokenizer->decode(Ids{space, the, the}), "the the");
}

TEST_F(SentencePiece, TakesDefaultsOfLlamasClassWithoutAConfig) {
  const auto tokenizer = Tokenizer::parse_sentencepiece(whole_model());
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->eos_id(), 2);
  EXPECT_TRUE(tokenizer->is_special(0));
  EXPECT_EQ(tokenizer->encode("</s>"), Ids{2});
  EXPECT_EQ(refusal(whole_model(), R"({"legacy": "no"})").substr(0, 30),
            "tokenizer_config.json: legacy:");
  EXPECT_EQ(refusal(whole_model(), R"({"added_tokens_decoder": {"5": {"content": "<x>"}}})")
                .substr(0, 46),
            "tokenizer_config.json: added_tokens_decoder.5:");
}

}  // namespace
}  // namespace tarsier
