#include "tarsier/data/pairs/pair_rule.h"

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/data/filter/text_rules.h"

namespace tarsier {
namespace {

Fraction share_of(const EventShare& share) { return {share.hits, share.total}; }

Fraction error_rate(const EventErrors& errors) {
  return {errors.missed + errors.incorrect + errors.hallucinated, errors.events};
}

bool same_judge(const CandidateScore& a, const CandidateScore& b) {
  return a.judge == b.judge && a.prompt_hash == b.prompt_hash;
}

bool is_scored(const Candidate& candidate, PairRule rule) {
  if (!candidate.score) return false;
  return rule == PairRule::autodq ? candidate.score->recall.has_value()
                                  : candidate.score->errors.has_value();
}

bool has_events(const Candidate& candidate) { return candidate.score->errors->events > 0; }

}  // namespace

const char* name_of(PairRule rule) { return rule == PairRule::autodq ? "autodq" : "error"; }

const char* name_of(PairSource source) {
  return source == PairSource::corrupted ? "corrupted" : "intact";
}

std::string PairSettings::json() const {
  return nlohmann::ordered_json{{"rule", name_of(rule)},     {"source", name_of(source)},
                                {"filter", filter},          {"delta", delta.text()},
                                {"min_gap", min_gap.text()}, {"per_row", per_row}}
      .dump();
}

const char* name_of(PairFault fault) {
  switch (fault) {
    case PairFault::empty:
      return "empty";
    case PairFault::cut:
      return "cut";
    case PairFault::loop:
      return "loop";
    case PairFault::identical:
      return "identical";
    case PairFault::unscored:
      return "unscored";
    case PairFault::other_judge:
      return "other_judge";
    case PairFault::no_events:
      return "no_events";
    case PairFault::equal:
      return "equal";
    case PairFault::recall_fell:
      return "recall_fell";
    case PairFault::precision_fell:
      return "precision_fell";
    case PairFault::below_delta:
      return "below_delta";
    case PairFault::below_gap:
      return "below_gap";
  }
  throw_broken_promise("PairFault has twelve values");
}

PairDifferences differences_of(const Candidate& chosen, const Candidate& rejected) {
  PairDifferences differences;
  differences.words = count_words(chosen.text) - count_words(rejected.text);
  if (!chosen.score || !rejected.score || !same_judge(*chosen.score, *rejected.score))
    return differences;
  const CandidateScore &a = *chosen.score, &b = *rejected.score;
  if (a.recall && b.recall) {
    differences.recall = share_of(*a.recall) - share_of(*b.recall);
    differences.precision = share_of(*a.precision) - share_of(*b.precision);
  }
  if (a.errors && b.errors && has_events(chosen) && has_events(rejected))
    differences.errors = error_rate(*b.errors) - error_rate(*a.errors);
  return differences;
}

std::string_view bare_words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<PairFault> text_fault(const Candidate& a, const Candidate& b) {
  const auto either = [&](auto is) { return is(a) || is(b); };
  if (either([](const Candidate& c) { return bare_words(c.text).empty(); }))
    return PairFault::empty;
  if (either([](const Candidate& c) { return c.finish == AnswerEnd::length; }))
    return PairFault::cut;
  if (either([](const Candidate& c) { return c.finish == AnswerEnd::loop; }))
    return PairFault::loop;
  if (bare_words(a.text) == bare_words(b.text)) return PairFault::identical;
  return std::nullopt;
}

std::optional<Fraction> gain_of(const PairDifferences& differences, PairRule rule) {
  if (rule == PairRule::error) return differences.errors;
  if (!differences.recall) return std::nullopt;
  return *differences.recall + *differences.precision;
}

std::optional<PairFault> score_fault(const Candidate& chosen, const Candidate& rejected,
                                     const PairSettings& settings) {
  if (!settings.filter && settings.source == PairSource::corrupted) return std::nullopt;
  const PairRule rule = settings.rule;
  if (!is_scored(chosen, rule) || !is_scored(rejected, rule)) return PairFault::unscored;
  if (!same_judge(*chosen.score, *rejected.score)) return PairFault::other_judge;
  if (rule == PairRule::error && (!has_events(chosen) || !has_events(rejected)))
    return PairFault::no_events;
  const PairDifferences differences = differences_of(chosen, rejected);
  const Fraction gain = *gain_of(differences, rule), nothing;
  // The intact video's answers are told apart by the gain alone.
  if (settings.source == PairSource::intact && gain <= nothing) return PairFault::equal;
  if (!settings.filter) return std::nullopt;
  if (rule == PairRule::error)
    return gain >= settings.min_gap ? std::nullopt : std::optional(PairFault::below_gap);
  if (*differences.recall < nothing) return PairFault::recall_fell;
  if (*differences.precision < nothing) return PairFault::precision_fell;
  return gain >= settings.delta ? std::nullopt : std::optional(PairFault::below_delta);
}

}  // namespace tarsier
