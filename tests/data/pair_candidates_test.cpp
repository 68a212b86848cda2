// A model's own answers in a row: the keys `samples` and `sampling`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/data/pairs/candidates.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kSampling[] =
    R"({"model":"5e1f","temperature":0.7,"top_p":0.7,"max_new_tokens":512})";
constexpr char kCorruptions[] = R"([{"kind":"reverse","frames":[3,2,1,0]}])";
constexpr char kScore[] =
    R"({"recall":[3,4],"precision":[1,1],"missed":1,"incorrect":0,"hallucinated":2,"events":4,"judge":"exact","prompt_hash":"ab"})";

Record row(const std::string& samples) {
  Record record;
  record.where = "rows.jsonl line 3";
  record.extra = {{"samples", samples}, {"sampling", kSampling}, {"corruptions", kCorruptions}};
  return record;
}

std::string message_of(const Record& record) {
  try {
    parse_candidates(record);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(Candidates, ComeBackAsTheyWere) {
  const std::string samples =
      R"([{"text":"A dog.","seed":18446744073709551615,"finish":"stop","corruption":null},
          {"text":"","seed":0,"finish":"length","corruption":0,"score":)" +
      std::string(kScore) +
      R"(},{"text":"x","seed":2,"finish":"loop","corruption":null,"score":{"recall":[0,4],"precision":[1,1],"judge":"llm","prompt_hash":""}},
          {"text":"y","seed":3,"finish":"stop","corruption":null,"score":{"missed":0,"incorrect":1,"hallucinated":0,"events":0,"judge":"llm","prompt_hash":"c"}}])";
  Record record = row(samples);
  const RowCandidates parsed = parse_candidates(record);
  ASSERT_EQ(parsed.samples.size(), 4u);
  EXPECT_EQ(parsed.samples[0].seed, UINT64_MAX);
  EXPECT_EQ(parsed.samples[0].corruption, std::nullopt);
  EXPECT_EQ(parsed.samples[0].score, std::nullopt);
  EXPECT_EQ(parsed.samples[1].corruption, 0u);
  EXPECT_EQ(parsed.samples[1].finish, AnswerEnd::length);
  EXPECT_EQ(parsed.samples[1].score->recall, (EventShare{3, 4}));
  EXPECT_EQ(parsed.samples[1].score->errors, (EventErrors{1, 0, 2, 4}));
  EXPECT_EQ(parsed.samples[2].score->errors, std::nullopt);
  EXPECT_EQ(parsed.samples[3].score->recall, std::nullopt);
  EXPECT_EQ(parsed.corruptions.at(0).kind, Corruption::reverse);
  EXPECT_EQ(parsed.sampling->model, "5e1f");
  EXPECT_EQ(parsed.sampling->temperature, 0.7);
  EXPECT_EQ(parsed.sampling->max_new_tokens, 512);
  record.extra.erase("samples");
  record.extra.erase("sampling");
  write_candidates(record, parsed);
  EXPECT_EQ(Json::parse(record.extra.at("samples")), Json::parse(samples));
  EXPECT_EQ(record.extra.at("sampling"), kSampling);
  EXPECT_EQ(record.extra.at("corruptions"), kCorruptions);
}

TEST(Candidates, ARowWithoutThem) {
  Record record;
  record.where = "rows.jsonl line 3";
  EXPECT_TRUE(parse_candidates(record).samples.empty());
  record.extra["samples"] = "[]";
  EXPECT_TRUE(parse_candidates(record).samples.empty());
}

// A sample with one key given anew; "" takes it out.
std::string changed(const std::string& key, const std::string& value) {
  Json sample = Json::parse(R"({"text":"A","seed":1,"finish":"stop","corruption":null,"score":)" +
                            std::string(kScore) + "}");
  Json& object = sample["score"].contains(key) || key == "bonus" ? sample["score"] : sample;
  object.erase(key);
  if (!value.empty()) object[key] = Json::parse(value);
  return message_of(row(Json::array({sample}).dump()));
}

TEST(Candidates, ErrorsNameRowAndKey) {
  const std::string where = "rows.jsonl line 3: samples[0]";
  EXPECT_EQ(changed("text", R"("B")"), "no InputError");
  EXPECT_EQ(changed("finish", R"("eos")"), where + ".finish: is 'eos'; use stop, length or loop");
  EXPECT_EQ(changed("seed", "-1"), where + ".seed: is no seed; give a whole number from 0 on");
  EXPECT_EQ(changed("seed", "1.5"), where + ".seed: is no seed; give a whole number from 0 on");
  EXPECT_EQ(changed("corruption", "1"),
            where +
                ".corruption: is 1 of 1 corruptions; give null, or an index into the row's "
                "corruptions");
  EXPECT_THAT(changed("corruption", "-1"), HasSubstr("is -1 of 1 corruptions"));
  EXPECT_THAT(changed("corruption", ""), HasSubstr(where + ".corruption: is missing"));
  EXPECT_THAT(changed("text", ""), HasSubstr(where + ".text: is missing"));
  EXPECT_THAT(changed("text", "5"), HasSubstr(where + ".text: is an integer"));
  EXPECT_EQ(changed("idea", "5"),
            where + ".idea: is an unknown key; use text, seed, finish, corruption, score");
  EXPECT_EQ(changed("bonus", "5"),
            where +
                ".score.bonus: is an unknown key; use recall, precision, missed, incorrect, "
                "hallucinated, events, judge, prompt_hash");
  EXPECT_EQ(changed("recall", "0.5"), where + ".score.recall: is not a share; give [hits, total]");
  EXPECT_EQ(changed("recall", "[1,2,3]"),
            where + ".score.recall: is not a share; give [hits, total]");
  EXPECT_EQ(changed("recall", "[0,0]"),
            where + ".score.recall: is a share of nothing; give [1, 1] where there is no event");
  EXPECT_EQ(changed("precision", "[5,4]"),
            where + ".score.precision: has 5 hits of 4; give no more hits than the total");
  EXPECT_THAT(changed("recall", "[-1,4]"), HasSubstr("is -1, expected 0 to 10000"));
  EXPECT_THAT(changed("events", "10001"),
              HasSubstr(where + ".score.events: is 10001, expected 0 to 10000"));
  EXPECT_EQ(changed("precision", ""),
            where + ".score: has some of recall, precision and not all; give all of them, or none");
  EXPECT_EQ(changed("events", ""),
            where +
                ".score: has some of missed, incorrect, hallucinated, events and not all; give "
                "all of them, or none");
  EXPECT_THAT(changed("judge", ""), HasSubstr(where + ".score.judge: is missing"));
  EXPECT_THAT(changed("prompt_hash", ""), HasSubstr(where + ".score.prompt_hash: is missing"));
  EXPECT_EQ(changed("score", R"({"judge":"j","prompt_hash":"h"})"),
            where +
                ".score: scores nothing; give recall and precision, or errors; or leave score "
                "out");
}

TEST(Candidates, ErrorsOfTheWholeList) {
  EXPECT_EQ(message_of(row("{}")),
            "rows.jsonl line 3: samples: is not a list; give a list of answers");
  const Json sample = {{"text", "A"}, {"seed", 1}, {"finish", "stop"}, {"corruption", nullptr}};
  EXPECT_EQ(message_of(row(Json(std::vector<Json>(1001, sample)).dump())),
            "rows.jsonl line 3: samples: has 1001 answers, at most 1000 are read; give fewer, or "
            "several rows");
  Record record = row(Json::array({sample}).dump());
  record.extra.erase("sampling");
  EXPECT_EQ(message_of(record),
            "rows.jsonl line 3: sampling: is missing beside samples; say how they were drawn: "
            "model, temperature, top_p, max_new_tokens");
  record.extra["sampling"] = R"({"model":"m","temperature":1,"top_p":1})";
  EXPECT_THAT(message_of(record),
              HasSubstr("rows.jsonl line 3: sampling.max_new_tokens: is missing"));
  record.extra["sampling"] =
      R"({"model":"m","temperature":1,"top_p":1,"max_new_tokens":1,"top_k":5})";
  EXPECT_EQ(
      message_of(record),
      "rows.jsonl line 3: sampling.top_k: is an unknown key; use model, video, sound, temperature, "
      "top_p, max_new_tokens");
  record.extra["sampling"] = R"({"model":"m","temperature":1,"top_p":1,"max_new_tokens":0})";
  EXPECT_THAT(message_of(record), HasSubstr("sampling.max_new_tokens: is 0, expected 1 to "));
}

}  // namespace
}  // namespace tarsier
