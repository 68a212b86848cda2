#include "tarsier/synth/world_score.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "tarsier/synth/event_match.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

double share(double part, double whole) { return whole == 0 ? 0 : part / whole; }
double share(std::int64_t part, std::int64_t whole) {
  return share(static_cast<double>(part), static_cast<double>(whole));
}

double f1(std::int64_t matched, std::int64_t truths, std::int64_t claims) {
  if (truths + claims == 0) return 1;
  return share(2 * matched, truths + claims);
}

std::int64_t sounds_in(const std::vector<ParsedEvent>& told) {
  return std::count_if(told.begin(), told.end(),
                       [](const ParsedEvent& event) { return event.sound.has_value(); });
}

std::int64_t count_of(const std::vector<std::int64_t>& matched) {
  return std::count_if(matched.begin(), matched.end(),
                       [](std::int64_t claim) { return claim >= 0; });
}

std::int64_t common_subsequence(const std::vector<ParsedEvent>& truths,
                                const std::vector<ParsedEvent>& claims) {
  std::vector<std::int64_t> longest(claims.size() +
                                    1);  // of the truths so far and the first i claims
  for (const ParsedEvent& truth : truths) {
    std::int64_t diagonal = 0;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const std::int64_t above = longest[i + 1];
      longest[i + 1] = same_event(truth, claims[i]) ? diagonal + 1 : std::max(above, longest[i]);
      diagonal = above;
    }
  }
  return longest.back();
}

bool is_yes(std::string_view answer) {
  return std::any_of(kLanguages.begin(), kLanguages.end(),
                     [&](Language language) { return answer == question_words(language).yes; });
}

std::string normalised(std::string_view answer) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto trim = [&] {
    while (!answer.empty() && kBlanks.find(answer.front()) != std::string_view::npos)
      answer.remove_prefix(1);
    while (!answer.empty() && kBlanks.find(answer.back()) != std::string_view::npos)
      answer.remove_suffix(1);
  };
  trim();
  for (const std::string_view stop : {".", "。"}) {
    if (answer.ends_with(stop)) answer.remove_suffix(stop.size());
  }
  trim();
  std::string text(answer);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

double interval_iou(FrameInterval a, FrameInterval b) {
  if (a.first < 0 || b.first < 0) return 0;
  const std::int64_t both = std::min(a.last, b.last) - std::max(a.first, b.first) + 1;
  if (both <= 0) return 0;
  return share(both, (a.last - a.first + 1) + (b.last - b.first + 1) - both);
}

void WorldScorer::add_description(const Clip& clip, const ParsedScene& parsed) {
  ++clips_;
  const std::vector<ParsedEvent> truths = told_events(clip);
  true_events_ += static_cast<std::int64_t>(truths.size());
  claimed_events_ += static_cast<std::int64_t>(parsed.events.size());
  const std::vector<std::int64_t> claims = match_events(truths, parsed.events);
  matched_events_ += count_of(claims);
  true_sounds_ += sounds_in(truths);
  claimed_sounds_ += sounds_in(parsed.events);
  for (std::size_t i = 0; i < claims.size(); ++i)
    matched_sounds_ += truths[i].sound && claims[i] >= 0 ? 1 : 0;
  ordered_events_ += common_subsequence(truths, parsed.events);
  true_objects_ += static_cast<std::int64_t>(clip.opening.size());
  claimed_objects_ += static_cast<std::int64_t>(parsed.opening.size());
  const std::vector<std::int64_t> found =
      match_one_to_one(clip.opening, parsed.opening, std::equal_to<Look>());
  matched_objects_ += count_of(found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!is_held_out(clip.opening[i].colour, clip.opening[i].shape)) continue;
    ++held_out_.all;
    held_out_.good += found[i] >= 0 ? 1 : 0;
  }
  sentences_ += parsed.sentences;
  unparsed_ += parsed.unparsed;
}

void WorldScorer::add_intervals(const Clip& clip, std::span<const double> frame_seconds,
                                const ParsedScene& parsed) {
  const std::vector<std::int64_t> claims = match_events(told_events(clip), parsed.events);
  const std::vector<Happening> truths = happenings(clip.events, clip.sounds);
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims[i] < 0) continue;
    const ParsedEvent& claim = parsed.events[static_cast<std::size_t>(claims[i])];
    const FrameInterval said{claim.first_frame, claim.last_frame};
    const FrameInterval truth = frame_interval(truths[i].start, truths[i].end, frame_seconds);
    ++intervals_;
    exact_intervals_ += said == truth ? 1 : 0;
    interval_iou_ += interval_iou(said, truth);
  }
}

void WorldScorer::add_answer(std::string_view kind, std::string_view truth,
                             std::string_view answer) {
  const std::string said = normalised(answer);
  Share& of_kind = answers_[std::string(kind)];
  ++of_kind.all;
  of_kind.good += said == normalised(truth) ? 1 : 0;
  if (is_probe(kind) && is_yes(said)) ++probe_yes_;
}

WorldScores WorldScorer::scores() const {
  WorldScores scores;
  scores.event_precision = share(matched_events_, claimed_events_);
  scores.event_recall = share(matched_events_, true_events_);
  scores.event_f1 = f1(matched_events_, true_events_, claimed_events_);
  scores.order = share(ordered_events_, matched_events_);
  scores.scene_f1 = f1(matched_objects_, true_objects_, claimed_objects_);
  scores.held_out_recall = share(held_out_.good, held_out_.all);
  scores.interval_iou = share(interval_iou_, static_cast<double>(intervals_));
  scores.interval_exact = share(exact_intervals_, intervals_);
  Share questions, probes;
  for (const auto& [kind, of_kind] : answers_) {
    scores.qa_by_kind[kind] = share(of_kind.good, of_kind.all);
    Share& sum = is_probe(kind) ? probes : questions;
    sum.good += of_kind.good;
    sum.all += of_kind.all;
  }
  scores.qa = share(questions.good, questions.all);
  scores.probes = share(probes.good, probes.all);
  scores.probe_yes_rate = share(probe_yes_, probes.all);
  scores.miss = share(true_events_ - matched_events_, true_events_);
  scores.hallucination = share(claimed_events_ - matched_events_, true_events_);
  scores.total = scores.miss + scores.hallucination;
  scores.unparsed = share(unparsed_, sentences_);
  scores.clips = clips_;
  scores.sounds = true_sounds_;
  if (true_sounds_ > 0) {
    scores.sound_precision = share(matched_sounds_, claimed_sounds_);
    scores.sound_recall = share(matched_sounds_, true_sounds_);
    scores.sound_f1 = f1(matched_sounds_, true_sounds_, claimed_sounds_);
  }
  return scores;
}

nlohmann::json world_scores_json(const WorldScores& scores, const WorldScores& unseen,
                                 std::uint64_t seed, const std::string& model, Language language) {
  nlohmann::json json{{"event_precision", scores.event_precision},
                      {"event_recall", scores.event_recall},
                      {"event_f1", scores.event_f1},
                      {"order", scores.order},
                      {"scene_f1", scores.scene_f1},
                      {"interval_iou", scores.interval_iou},
                      {"interval_exact", scores.interval_exact},
                      {"qa", scores.qa},
                      {"probes", scores.probes},
                      {"probe_yes_rate", scores.probe_yes_rate},
                      {"qa_by_kind", scores.qa_by_kind},
                      {"miss", scores.miss},
                      {"hallucination", scores.hallucination},
                      {"total", scores.total},
                      {"unparsed", scores.unparsed},
                      {"unseen_event_f1", unseen.event_f1},
                      {"unseen_scene_f1", unseen.scene_f1},
                      {"unseen_object_recall", unseen.held_out_recall},
                      {"clips", scores.clips},
                      {"seed", seed},
                      {"language", table(language).name},
                      {"model", model}};
  if (scores.sounds > 0) {
    json["sound_precision"] = scores.sound_precision;
    json["sound_recall"] = scores.sound_recall;
    json["sound_f1"] = scores.sound_f1;
  }
  return json;
}

}  // namespace tarsier
