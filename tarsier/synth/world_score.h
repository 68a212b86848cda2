#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "tarsier/synth/grammar.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Every score is exact and micro-averaged over clips. A share of nothing is 0 (0 / 0 = 0), except
/// F1 with no true and no claimed items, which is 1: nothing was to be said and nothing was.
struct WorldScores {
  double event_precision = 0, event_recall = 0, event_f1 = 0;
  double order = 0;     // share of the matches (so of F1) kept when they must be in true order,
                        // which is comes_before's: by start, where events overlap too
  double scene_f1 = 0;  // objects of the opening by colour, shape, size and place
  double held_out_recall = 0;  // of the opening's objects whose colour-shape pair is held out
  double interval_iou = 0;     // mean over matched events of the interval form; no marker counts 0
  double interval_exact = 0;   // share of the same with both ends right
  double qa = 0;               // accuracy over all questions that are no probes
  double probes = 0;           // accuracy over probes
  double probe_yes_rate = 0;   // share of probes answered yes
  std::map<std::string, double> qa_by_kind;  // accuracy by kind, probes included
  double miss = 0;                           // true events not matched, per true event
  double hallucination = 0;                  // claimed events not matched, per true event
  double total = 0;                          // miss + hallucination
  double unparsed = 0;                       // share of sentences outside the grammar
  std::int64_t clips = 0;                    // descriptions scored
  // The scores of events above count sounds among them. These are of sounds alone, and 0 where no
  // clip has any.
  double sound_precision = 0, sound_recall = 0, sound_f1 = 0;
  std::int64_t sounds = 0;  // true ones
};

/// Frames in both over frames in either; 0 when one is no interval (first < 0).
double interval_iou(FrameInterval a, FrameInterval b);

/// Adds up counts over clips; scores() may be called at any time.
class WorldScorer {
 public:
  /// A description of a clip, parsed: events and sounds one to one by kind, object and argument
  /// (event_match.h), and the opening scene.
  void add_description(const Clip& clip, const ParsedScene& parsed);
  /// A description of the interval form: only the intervals of matched events are scored, over
  /// `frame_seconds`.
  void add_intervals(const Clip& clip, std::span<const double> frame_seconds,
                     const ParsedScene& parsed);
  /// One answered question; answers compare after trimming, without a final stop, ignoring ASCII
  /// case.
  void add_answer(std::string_view kind, std::string_view truth, std::string_view answer);
  WorldScores scores() const;

 private:
  struct Share {
    std::int64_t good = 0, all = 0;
  };
  std::int64_t clips_ = 0;
  std::int64_t true_events_ = 0, claimed_events_ = 0, matched_events_ = 0, ordered_events_ = 0;
  std::int64_t true_sounds_ = 0, claimed_sounds_ = 0, matched_sounds_ = 0;
  std::int64_t true_objects_ = 0, claimed_objects_ = 0, matched_objects_ = 0;
  Share held_out_;
  std::int64_t sentences_ = 0, unparsed_ = 0;
  std::int64_t intervals_ = 0, exact_intervals_ = 0;
  double interval_iou_ = 0;
  std::int64_t probe_yes_ = 0;
  std::map<std::string, Share> answers_;
};

/// What `tarsier eval world --json` prints; `unseen` gives the unseen_ scores. The sound_ scores
/// are in it where a clip had sounds.
nlohmann::json world_scores_json(const WorldScores& scores, const WorldScores& unseen,
                                 std::uint64_t seed, const std::string& model,
                                 Language language = Language::english);

}  // namespace tarsier
