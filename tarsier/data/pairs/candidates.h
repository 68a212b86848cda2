#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/data/corrupt/corruption_keys.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// What a row knows about a model's own answers to its last question: the keys `samples` and
/// `sampling` (docs/data-formats.md), written by whatever samples and scores, read here.

/// How an answer ended: by itself, at the limit of tokens, or by repeating itself.
enum class AnswerEnd { stop, length, loop };
/// "stop", "length", "loop".
const char* name_of(AnswerEnd end);

/// A share of events, not reduced: recall and precision. Of an empty ground truth it is 1 of 1.
struct EventShare {
  std::int64_t hits = 0, total = 1;
  bool operator==(const EventShare&) const = default;
};

/// Errors of one answer against the events of its video: models-video-salmonn-2.md 5.7.
struct EventErrors {
  std::int64_t missed = 0, incorrect = 0, hallucinated = 0;
  std::int64_t events = 0;  // of the truth
  bool operator==(const EventErrors&) const = default;
};

/// What a judge made of an answer: recall and precision together, errors, or both.
struct CandidateScore {
  std::optional<EventShare> recall, precision;
  std::optional<EventErrors> errors;
  std::string judge, prompt_hash;  // who judged, and by which words
  bool operator==(const CandidateScore&) const = default;
};

/// One answer.
struct Candidate {
  std::string text;
  std::uint64_t seed = 0;
  AnswerEnd finish = AnswerEnd::stop;
  std::optional<std::size_t>
      corruption;                       // index into RowCandidates::corruptions; none: intact video
  std::optional<CandidateScore> score;  // none until it is judged
};

/// How the answers were drawn.
struct CandidateSampling {
  std::string model;  // SHA-256 of its weights
  std::string video;  // of the intact video's file; empty: not a file
  std::string sound;  // of a file of sound that was heard; empty: none, or the video's own
  double temperature = 1, top_p = 1;
  std::int64_t max_new_tokens = 0;
};

struct RowCandidates {
  static constexpr std::int64_t kMost = 1000;          // samples of a row
  static constexpr std::int64_t kMostEvents = 10'000;  // of any count of a score

  std::vector<CorruptedFrames> corruptions;
  std::vector<Candidate> samples;
  std::optional<CandidateSampling> sampling;  // there when samples are
};

/// Nothing for a row without the keys. InputError naming row and key when anything is malformed,
/// unknown or over a limit: "rows.jsonl line 3: samples[0].finish: is 'eos'; use ...".
RowCandidates parse_candidates(const Record& record);
/// Sets `samples` and `sampling`; the corruptions are the row's own and stay.
void write_candidates(Record& record, const RowCandidates& candidates);

/// Their JSON, as it stands in rows.
nlohmann::ordered_json score_json(const CandidateScore& score);
nlohmann::ordered_json sampling_json(const CandidateSampling& sampling);

}  // namespace tarsier
