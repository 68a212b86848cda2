#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/models/adapter_shape.h"
#include "tarsier/train/optimizer/groups.h"
#include "tarsier/train/optimizer/optimizer.h"
#include "tarsier/train/optimizer/schedule.h"
#include "tarsier/train/preference/objective.h"

namespace tarsier {

/// What one clip of the synthetic world is trained on.
struct SynthData {
  std::string level = "base";
  std::uint64_t seed = 1;
  std::int64_t clips = 0;        // different ones; behind the last the first again. 0: no last
  std::int64_t frames = 8;       // uniformly sampled, as the model's own default
  double dense_captions = 0;     // detailed descriptions a clip (a fraction is a probability)
  double interval_captions = 0;  // the same with frame intervals
  double short_captions = 0;
  double web_captions = 0, commentaries = 0;  // loose texts, as the web has them
  double web_wrong = 0.1;                     // share of the web captions that say something false
  double drift_seconds = 1.5;                 // how far a commentary may be off, at most
  double flawed_captions = 0;         // detailed descriptions that leave things out and invent some
  double omit = 0.25, invent = 0.15;  // of the events: left out of these; invented for each
  std::vector<std::string> languages{"english"};  // each caption and question draws one
  std::int64_t questions = 0;  // drawn among the clip's; probes in balanced pairs
  std::map<std::string, double>
      question_weights;      // of a kind in that draw; 1 where it is not named
  double answer_weight = 1;  // of the answers to questions in the loss
  // Of answers learned inside the question, at tokens whose next one is given: there the thing
  // asked about is one look away. Never generated.
  double hint_weight = 0;    // of the answer behind the thing's name
  double option_weight = 0;  // of a verdict, yes or no, behind each option of a choice
  double colour_noise =
      0;  // share of the colour words in a caption's input that are replaced; labels stay
  double key_token_weight = 1;  // of digits, yes and no in the loss
  bool held_out = false;        // clips of the validation split; not a setting of recipes
};

/// Rows of training data (docs/data-formats.md); media paths are relative to the file.
struct JsonlData {
  std::filesystem::path file;
  std::optional<std::int64_t> frames;  // of each video that does not say it itself
  bool apart = false;  // each question behind the media alone, without the turns before it
};

/// One source of a stage's samples, by its weight among the others; it is either kind.
struct DataSource {
  double weight = 1;
  std::optional<SynthData> synth;
  std::optional<JsonlData> jsonl;
};

/// One stage: its own data, objectives and schedule.
struct Stage {
  std::string name;
  std::int64_t steps = 0;
  std::int64_t clips_per_step = 16;         // of one micro-batch
  std::int64_t accumulate = 1;              // micro-batches a step
  std::optional<std::int64_t> pack_tokens;  // of a micro-batch, in place of clips_per_step
  std::int64_t pack_window = 8;             // samples that may wait for a later step
  ScheduleShape schedule = ScheduleShape::cosine;
  double peak_rate = 1e-3;
  double final_share = 0.05;  // of the peak rate, at the end of a cosine or line
  std::int64_t warmup_steps = 100;
  double weight_decay = 0.05;
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8;
  double clip_norm = 1;
  UpdateRule rule = UpdateRule::adamw;
  bool decay_vectors = false;       // norms and biases decay too
  std::vector<WeightGroup> groups;  // the first that matches a weight is its own
  double vision_layer_decay = 1;    // of the rate, from one block of the tower to the one below
  // Patterns (optimizer/groups.h) of the weights that learn, "" is all; and, among those, of the
  // ones that stay as they are.
  std::vector<std::string> train{""}, freeze;
  double next_token = 1, visual_words = 0, event_probe = 0,
         event_cells = 0;                         // weights of the objectives
  std::optional<PreferenceObjective> preference;  // in place of all four
  std::vector<DataSource> sources;                // at least one; several are mixed
};

/// Weights that another model brings to one that begins afresh.
struct TakenWeights {
  std::filesystem::path model;        // a directory
  std::vector<std::string> patterns;  // optimizer/groups.h; of the paths that are taken
};

/// A whole training run. Every key is checked before any work; an unknown key is an error.
struct Recipe {
  std::filesystem::path model;  // a directory: configuration, tokenizer, and weights unless fresh
  std::optional<std::uint64_t> random_weights;  // seed of fresh weights
  std::vector<TakenWeights> weights_from;       // in place of fresh ones, in this order
  std::uint64_t seed = 1;                       // order of data, noise
  std::string compute = "auto";  // "f32", "bf16", "mixed" (f32 with products in bf16), or "auto":
                                 // f32 or bf16, whichever is found faster
  std::string export_dtype = "bf16";
  std::optional<AdapterShape> adapter;  // which learns in place of the weights beside it
  bool recompute = false;               // layers' insides are computed again in backward, not kept
  std::int64_t workers = 1;             // micro-batches computed side by side, at most one a core
  std::int64_t save_every = 500;        // steps
  std::int64_t keep_checkpoints = 2;
  std::int64_t log_every = 10;      // steps a line of metrics.jsonl covers
  std::int64_t logit_chunk = 2048;  // rows of logits that exist at a time
  std::int64_t media_cache_mb = 0;  // for the tokens of towers that do not learn; 0: none kept
  double ema = 0;                   // decay of the averages that are exported; 0: none are kept
  std::int64_t sample_every = 0;    // steps between sample answers; 0: never
  std::int64_t sample_clips = 4;    // asked about each time
  double max_bad = 0.001;           // share of samples that may be unusable before the run stops
  std::vector<Stage> stages;
  std::string text;  // JSON, with the overrides
  std::string hash;  // SHA-256 of the recipe's text with its overrides

  std::int64_t total_steps() const;
};

/// Reads a JSONC file. `overrides` are "key=value" with dotted keys ("stages.0.steps=10"). Paths in
/// the recipe are relative to its file. ConfigError names the key.
Recipe read_recipe(const std::filesystem::path& file,
                   const std::vector<std::string>& overrides = {});

}  // namespace tarsier
