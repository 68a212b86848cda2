// Every shape of rows, read and written: product.md 8 and training.md 9.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/data/formats/format.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kTarsier[] =
    R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4","start_time":0,"end_time":5}},{"type":"text","text":"Describe."}]},
        {"role":"assistant","content":[{"type":"text","text":"T","reference":"R","chosen":"C","rejected":"J"}]}],"dataset":"d","task":"video/caption","idx":1})";
constexpr char kPlusSft[] =
    R"({"video":"a.mp4","audio":"a.wav","use_audio":true,"conversations":[{"from":"human","value":"<video>\nPrompt"},{"from":"gpt","value":"A"}]})";
constexpr char kPlusPair[] =
    R"({"id":7,"video":"a.mp4","use_audio":true,"conversations":[{"from":"human","value":"<video>\nP"},{"from":"gpt","value":"GT"},{"from":"chosen","value":"C"},{"from":"reject","value":"J"}]})";
constexpr char kTrlPair[] =
    R"({"prompt":[{"role":"user","content":[{"type":"video"},{"type":"text","text":"P"}]}],"chosen":[{"role":"assistant","content":"C"}],"rejected":[{"role":"assistant","content":"J"}],"videos":["a.mp4"]})";
constexpr char kFirstPair[] =
    R"({"video":"a.mp4","audio":"a.wav","timestamps":[2,12],"ce_only":false,"conversations":[{"from":"human","value":"<image>\nQ"},{"from":"history_gpt","value":"H"},{"from":"human","value":"P"},{"from":"gpt","value":"C"},{"from":"reject_gpt","value":"J"},{"from":"gt","value":"GT"}]})";
constexpr char kLlava[] =
    R"({"id":"x","video":"a.mp4","data_source":"s","conversations":[{"from":"human","value":"<image>\nQ"},{"from":"gpt","value":"A"},{"from":"human","value":"Q2"},{"from":"gpt","value":"A2"}]})";
constexpr char kLlavaPair[] =
    R"({"id":"x","video":"a.mp4","prompt":"Q","answer":"GT","chosen":"C","rejected":"J"})";

JsonView json(const std::string& text) {
  return parse_json(text, "rows.jsonl line 3", JsonOwner::input);
}
Record record(const std::string& text) {
  const JsonView row = json(text);
  return parse_record(row, detect_format(row));
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

struct Case {
  const char* row;
  RowFormat format;
};

TEST(Formats, RowsComeBackAsTheyWere) {
  for (const Case& c : {Case{kTarsier, RowFormat::tarsier},
                        {kPlusSft, RowFormat::salmonn2plus},
                        {kPlusPair, RowFormat::salmonn2plus},
                        {kTrlPair, RowFormat::trl},
                        {kFirstPair, RowFormat::salmonn2},
                        {kLlava, RowFormat::llava},
                        {kLlavaPair, RowFormat::llava}}) {
    const JsonView row = json(c.row);
    ASSERT_EQ(detect_format(row), c.format) << c.row;
    const std::string written = write_record(parse_record(row, c.format), c.format);
    EXPECT_EQ(Json::parse(written), Json::parse(c.row)) << written;
  }
}

TEST(Formats, MoreRowsThatComeBack) {
  for (
      const Case& c :
      {// every setting of a video; a list of pictures; nested keys and numbers of all kinds
       Case{
           R"({"messages":[{"role":"system","content":[{"type":"text","text":"S"}]},{"role":"user","content":[{"type":"text","text":"a "},{"type":"video","video":{"video_file":["1.png","2.png"],"frame_indices":[0,5],"fps":2.5,"n_frames":8,"mask_boxes":[[0,0,1,0.25]]}},{"type":"text","text":" b"}]},{"role":"assistant","content":[{"type":"text","text":"A","why":{"x":[1,-2,1e-7]}}],"weight":0.5}],"extra_info":{"k":[1,2]},"is_hard":true})",
           RowFormat::tarsier},
       Case{
           R"({"messages":[{"role":"user","content":[{"type":"image","image":{"image_file":"1.png"}},{"type":"image","image":{"image_file":"2.png"}},{"type":"text","text":"Q"}]},{"role":"assistant","content":[{"type":"text","text":"","reference":"gold"}]}]})",
           RowFormat::tarsier},
       // marks inside the text, with and without a line break behind them
       Case{
           R"({"image":["1.png","2.png"],"conversations":[{"from":"human","value":"Compare <image> with <image>\nnow"},{"from":"gpt","value":"A"}]})",
           RowFormat::llava},
       Case{
           R"({"image":"1.png","video":"a.mp4","conversations":[{"from":"system","value":"S"},{"from":"human","value":"<video><image>\n\nQ"},{"from":"gpt","value":"A"}]})",
           RowFormat::llava},
       Case{
           R"({"id":1,"conversations":[{"from":"human","value":"no media"},{"from":"gpt","value":"A"}]})",
           RowFormat::llava},
       Case{
           R"({"audio":"a.wav","use_audio":false,"conversations":[{"from":"human","value":"<audio>\nQ"},{"from":"gpt","value":"A"}]})",
           RowFormat::salmonn2plus},
       Case{
           R"({"video":["a.mp4","b.mp4"],"use_audio":false,"should_use":true,"conversations":[{"from":"human","value":"<video>\n<video>\nQ"},{"from":"gpt","value":"A"}]})",
           RowFormat::salmonn2plus},
       Case{
           R"({"audio":"a.wav","conversations":[{"from":"human","value":"<image>\nQ"},{"from":"gpt","value":"A"}]})",
           RowFormat::salmonn2},
       Case{
           R"({"prompt":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"image"},{"type":"text","text":"Q"}]},{"role":"assistant","content":"A"},{"role":"user","content":"Q2"}],"completion":[{"role":"assistant","content":"A2"}],"images":["1.png"]})",
           RowFormat::trl},
       Case{
           R"({"messages":[{"role":"user","content":[{"type":"video"},{"type":"text","text":"Q"}]},{"role":"assistant","content":"A"},{"role":"user","content":"Q2"},{"role":"assistant","content":"A2"}],"videos":["a.mp4"],"source":"s"})",
           RowFormat::trl}}) {
    const JsonView row = json(c.row);
    ASSERT_EQ(detect_format(row), c.format) << c.row;
    const std::string written = write_record(parse_record(row, c.format), c.format);
    EXPECT_EQ(Json::parse(written), Json::parse(c.row)) << written;
  }
}

// What all shapes hold goes through every one of them and back.
TEST(Formats, ConversionsBetweenAllPairs) {
  const std::string question =
      R"("video":"a.mp4","conversations":[{"from":"human","value":"<image>\nQ"},)";
  const std::string sft = R"({"id":5,)" + question + R"({"from":"gpt","value":"A"}]})";
  const std::string pair =
      R"({"id":5,"video":"a.mp4","prompt":"Q","answer":"GT","chosen":"C","rejected":"J"})";
  constexpr RowFormat kAll[] = {RowFormat::tarsier, RowFormat::llava, RowFormat::salmonn2,
                                RowFormat::salmonn2plus, RowFormat::trl};
  for (const std::string& start : {sft, pair}) {
    for (const RowFormat first : kAll) {
      for (const RowFormat second : kAll) {
        const std::string one = write_record(record(start), first);
        const std::string two = write_record(parse_record(json(one), first), second);
        const std::string back = write_record(parse_record(json(two), second), RowFormat::llava);
        EXPECT_EQ(Json::parse(back), Json::parse(start)) << name_of(first) << " " << one << "\n"
                                                         << name_of(second) << " " << two;
      }
    }
  }
}

TEST(Formats, PairsChangeTheirNames) {
  const Record pair = record(kLlavaPair);
  EXPECT_EQ(
      Json::parse(write_record(pair, RowFormat::salmonn2))["conversations"],
      Json::parse(
          R"([{"from":"human","value":"<image>\nQ"},{"from":"gpt","value":"C"},{"from":"reject_gpt","value":"J"},{"from":"gt","value":"GT"}])"));
  EXPECT_EQ(
      Json::parse(write_record(pair, RowFormat::salmonn2plus))["conversations"],
      Json::parse(
          R"([{"from":"human","value":"<video>\nQ"},{"from":"gpt","value":"GT"},{"from":"chosen","value":"C"},{"from":"reject","value":"J"}])"));
  const Json tarsier = Json::parse(write_record(pair, RowFormat::tarsier));
  EXPECT_EQ(tarsier["messages"][1]["content"],
            Json::parse(R"([{"type":"text","text":"GT","chosen":"C","rejected":"J"}])"));
  EXPECT_EQ(Json::parse(write_record(pair, RowFormat::trl))["gt"], "GT");
}

TEST(Formats, WhatAShapeCannotHoldIsRefused) {
  const auto refusal = [](const std::string& row, RowFormat format) {
    return message_of([&] { write_record(record(row), format); });
  };
  EXPECT_EQ(refusal(kTarsier, RowFormat::llava),
            "rows.jsonl line 3: media[0].start_time: start and end have no place in llava rows; "
            "convert to tarsier, or cut the clip to what is meant first");
  EXPECT_THAT(refusal(kTarsier, RowFormat::salmonn2), HasSubstr("turns[1].parts[0].reference"));
  EXPECT_THAT(refusal(kTarsier, RowFormat::salmonn2plus), HasSubstr("reference"));
  EXPECT_EQ(refusal(kFirstPair, RowFormat::tarsier),
            "rows.jsonl line 3: turns[1]: is an answer that is context only, which has no place in "
            "tarsier rows; use salmonn2 or trl for these rows");
  EXPECT_THAT(refusal(kFirstPair, RowFormat::salmonn2plus), HasSubstr("media[0].start_time"));
  EXPECT_THAT(refusal(kPlusSft, RowFormat::llava), HasSubstr("media[0]: has sound"));
  EXPECT_THAT(refusal(kPlusSft, RowFormat::trl), HasSubstr("media[0]: has sound"));
  EXPECT_THAT(refusal(kPlusPair, RowFormat::salmonn2),
              HasSubstr("media[0].use_audio: asks for the video's own sound"));
  EXPECT_EQ(refusal(kTrlPair, RowFormat::salmonn2plus),
            "rows.jsonl line 3: has no ground truth, which salmonn2plus rows carry in their gpt "
            "turn; add it, or convert to salmonn2 or trl");
  EXPECT_THAT(
      refusal(
          R"({"image":["1.png","2.png"],"conversations":[{"from":"human","value":"<image><image>\nQ"},{"from":"gpt","value":"A"}]})",
          RowFormat::salmonn2),
      HasSubstr("media: salmonn2 rows have one video and one sound at most"));
  EXPECT_THAT(
      refusal(
          R"({"messages":[{"role":"user","content":"what is <video>?"},{"role":"assistant","content":"A"}]})",
          RowFormat::llava),
      HasSubstr("turns[0]: has words that read as a mark of media"));
  EXPECT_EQ(
      refusal(
          R"({"videos":3,"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4"}}]},{"role":"assistant","content":"A"}]})",
          RowFormat::trl),
      "rows.jsonl line 3: videos: is a key of the row's own that trl rows use otherwise; "
      "rename the key");
}

TEST(Formats, BadRowsAreNamed) {
  const auto refusal = [](const std::string& row) { return message_of([&] { record(row); }); };
  EXPECT_EQ(refusal("[1]"), "rows.jsonl line 3: is not an object; give one JSON object a row");
  EXPECT_EQ(refusal(R"({"text":"x"})"),
            "rows.jsonl line 3: is of no known format; expected one of the keys messages, "
            "conversations, prompt; or say --from");
  EXPECT_EQ(refusal(R"({"messages":[{"role":"boss","content":"x"}]})"),
            "rows.jsonl line 3: messages[0].role: is 'boss'; use system, user or assistant");
  EXPECT_EQ(refusal(R"({"messages":[{"role":"user","content":[{"type":"video","video":{}}]}]})"),
            "rows.jsonl line 3: messages[0].content[0].video.video_file: is missing; the file may "
            "be cut or of another kind");
  EXPECT_EQ(refusal(R"({"messages":[{"role":"user","content":[{"type":"smell"}]}]})"),
            "rows.jsonl line 3: messages[0].content[0].type: is 'smell'; use text, video or image");
  EXPECT_EQ(refusal(R"({"video":"a","conversations":[{"from":"human","value":"<video><video>"}]})"),
            "rows.jsonl line 3: conversations[0].value: has the mark <video> for 1 item of media; "
            "give one mark for each video, image or audio of the row");
  EXPECT_EQ(refusal(R"({"conversations":[{"from":"robot","value":"x"}]})"),
            "rows.jsonl line 3: conversations[0].from: is 'robot'; use human, gpt or system");
  EXPECT_EQ(
      refusal(
          R"({"conversations":[{"from":"human","value":"x"},{"from":"reject_gpt","value":"x"}]})"),
      "rows.jsonl line 3: conversations: has a rejected answer and no chosen one; give both");
  EXPECT_EQ(
      refusal(
          R"({"prompt":[{"role":"user","content":[{"type":"video"}]}],"chosen":[],"rejected":[]})"),
      "rows.jsonl line 3: prompt[0].content[0].type: has no file in videos; list one file "
      "for each part of type video");
}

TEST(Formats, UnusedMembersMayBeNull) {
  const Record row = record(
      R"({"messages":[{"role":"user","content":[{"type":"video","text":null,"image":null,"reference":null,"video":{"video_file":"a.mp4","start_time":null}},{"type":"text","text":"Q","video":null}]},{"role":"assistant","content":[{"type":"text","text":"A"}]}]})");
  EXPECT_EQ(
      write_record(row, RowFormat::llava),
      R"({"video":"a.mp4","conversations":[{"from":"human","value":"<image>\nQ"},{"from":"gpt","value":"A"}]})");
}

TEST(Formats, TrlShowsUnnamedMediaFirst) {
  const Record row = record(
      R"({"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}],"images":["1.png"]})");
  ASSERT_EQ(row.turns[0].parts.size(), 2u);
  EXPECT_EQ(row.turns[0].parts[0].media, std::optional<std::size_t>(0));
}

TEST(Record, PathsMoveWithTheRow) {
  Record row = record(kPlusSft);
  move_media_paths(row, "/data/in", "/data/out/deep");
  EXPECT_EQ(row.media[0].files[0], "../../in/a.mp4");
  EXPECT_EQ(row.media[0].audio_file, "../../in/a.wav");
  row.media[0].files[0] = "/abs.mp4";
  row.media[0].audio_file = "https://x/y.wav";
  move_media_paths(row, "/data/in", "/other");
  EXPECT_EQ(row.media[0].files[0], "/abs.mp4");
  EXPECT_EQ(row.media[0].audio_file, "https://x/y.wav");
}

}  // namespace
}  // namespace tarsier
