#include "tarsier/data/pairs/candidates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/data/extra_value.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kEnds = {AnswerEnd::stop, AnswerEnd::length, AnswerEnd::loop};

AnswerEnd parse_end(const JsonView& value) {
  for (const AnswerEnd end : kEnds) {
    if (value.as_string() == name_of(end)) return end;
  }
  value.fail(fmt::format("is '{}'", value.as_string()), "use stop, length or loop");
}

std::int64_t parse_count(const JsonView& value) {
  return value.as_int(0, RowCandidates::kMostEvents);
}

EventShare parse_share(const JsonView& value) {
  if (!value.is_array() || value.size() != 2) value.fail("is not a share", "give [hits, total]");
  const EventShare share{parse_count(value.at(std::int64_t{0})),
                         parse_count(value.at(std::int64_t{1}))};
  if (share.total == 0) value.fail("is a share of nothing", "give [1, 1] where there is no event");
  if (share.hits > share.total)
    value.fail(fmt::format("has {} hits of {}", share.hits, share.total),
               "give no more hits than the total");
  return share;
}

// Keys that are there together or not at all.
bool has_all(const JsonView& object, std::initializer_list<const char*> keys) {
  std::size_t there = 0;
  for (const char* key : keys) {
    if (object.has(key)) ++there;
  }
  if (there != 0 && there != keys.size())
    object.fail(fmt::format("has some of {} and not all", fmt::join(keys, ", ")),
                "give all of them, or none");
  return there != 0;
}

CandidateScore parse_score(const JsonView& object) {
  refuse_other_keys(object, {"recall", "precision", "missed", "incorrect", "hallucinated", "events",
                             "judge", "prompt_hash"});
  CandidateScore score;
  if (has_all(object, {"recall", "precision"})) {
    score.recall = parse_share(object.at("recall"));
    score.precision = parse_share(object.at("precision"));
  }
  if (has_all(object, {"missed", "incorrect", "hallucinated", "events"})) {
    score.errors = {parse_count(object.at("missed")), parse_count(object.at("incorrect")),
                    parse_count(object.at("hallucinated")), parse_count(object.at("events"))};
  }
  if (!score.recall && !score.errors)
    object.fail("scores nothing", "give recall and precision, or errors; or leave score out");
  score.judge = object.at("judge").as_string();
  score.prompt_hash = object.at("prompt_hash").as_string();
  return score;
}

std::optional<std::size_t> parse_corruption(const JsonView& value, std::size_t corruptions) {
  if (value.is_null()) return std::nullopt;
  const std::int64_t index = value.as_int();
  if (index < 0 || index >= static_cast<std::int64_t>(corruptions))
    value.fail(fmt::format("is {} of {} corruptions", index, corruptions),
               "give null, or an index into the row's corruptions");
  return static_cast<std::size_t>(index);
}

Candidate parse_candidate(const JsonView& object, std::size_t corruptions) {
  Candidate candidate;
  candidate.text = object.at("text").as_string();
  refuse_other_keys(object, {"text", "seed", "finish", "corruption", "score"});
  const JsonView seed = object.at("seed");
  if (!seed.raw().is_number_unsigned()) seed.fail("is no seed", "give a whole number from 0 on");
  candidate.seed = seed.raw().get<std::uint64_t>();
  candidate.finish = parse_end(object.at("finish"));
  candidate.corruption = parse_corruption(object.at("corruption"), corruptions);
  if (const auto score = object.find("score")) candidate.score = parse_score(*score);
  return candidate;
}

CandidateSampling parse_sampling(const JsonView& object) {
  CandidateSampling sampling;
  sampling.model = object.at("model").as_string();
  sampling.video = object.string_or("video", "");
  sampling.sound = object.string_or("sound", "");
  sampling.temperature = object.at("temperature").as_double();
  sampling.top_p = object.at("top_p").as_double();
  sampling.max_new_tokens = object.at("max_new_tokens").as_int(1, INT64_MAX);
  refuse_other_keys(object, {"model", "video", "sound", "temperature", "top_p", "max_new_tokens"});
  return sampling;
}

Json candidate_json(const Candidate& candidate) {
  Json object{{"text", candidate.text},
              {"seed", candidate.seed},
              {"finish", name_of(candidate.finish)},
              {"corruption", nullptr}};
  if (candidate.corruption) object["corruption"] = *candidate.corruption;
  if (candidate.score) object["score"] = score_json(*candidate.score);
  return object;
}

Json share_json(const EventShare& share) { return Json::array({share.hits, share.total}); }

}  // namespace

const char* name_of(AnswerEnd end) {
  if (end == AnswerEnd::stop) return "stop";
  return end == AnswerEnd::length ? "length" : "loop";
}

RowCandidates parse_candidates(const Record& record) {
  RowCandidates row;
  row.corruptions = parse_corruptions(record).corrupted;
  if (const auto sampling = extra_value(record, "sampling"))
    row.sampling = parse_sampling(*sampling);
  const auto samples = extra_value(record, "samples");
  if (!samples) return row;
  if (!samples->is_array()) samples->fail("is not a list", "give a list of answers");
  if (samples->size() > RowCandidates::kMost)
    samples->fail(
        fmt::format("has {} answers, at most {} are read", samples->size(), RowCandidates::kMost),
        "give fewer, or several rows");
  for (std::int64_t i = 0; i < samples->size(); ++i)
    row.samples.push_back(parse_candidate(samples->at(i), row.corruptions.size()));
  if (!row.samples.empty() && !row.sampling)
    throw InputError({record.where + ": sampling", "is missing beside samples",
                      "say how they were drawn: model, temperature, top_p, max_new_tokens"});
  return row;
}

void write_candidates(Record& record, const RowCandidates& candidates) {
  Json list = Json::array();
  for (const Candidate& candidate : candidates.samples) list.push_back(candidate_json(candidate));
  record.extra["samples"] = list.dump();
  if (candidates.sampling) record.extra["sampling"] = sampling_json(*candidates.sampling).dump();
}

Json score_json(const CandidateScore& score) {
  Json object;
  if (score.recall) object["recall"] = share_json(*score.recall);
  if (score.precision) object["precision"] = share_json(*score.precision);
  if (score.errors) {
    object["missed"] = score.errors->missed;
    object["incorrect"] = score.errors->incorrect;
    object["hallucinated"] = score.errors->hallucinated;
    object["events"] = score.errors->events;
  }
  object["judge"] = score.judge;
  object["prompt_hash"] = score.prompt_hash;
  return object;
}

Json sampling_json(const CandidateSampling& sampling) {
  Json object{{"model", sampling.model}};
  if (!sampling.video.empty()) object["video"] = sampling.video;
  if (!sampling.sound.empty()) object["sound"] = sampling.sound;
  object["temperature"] = sampling.temperature;
  object["top_p"] = sampling.top_p;
  object["max_new_tokens"] = sampling.max_new_tokens;
  return object;
}

}  // namespace tarsier
