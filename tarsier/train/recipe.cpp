#include "tarsier/train/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/sound_questions.h"
#include "tarsier/train/data/mixed_source.h"
#include "tarsier/train/preference/read_objective.h"
#include "tarsier/train/recipe_keys.h"
#include "tarsier/train/recipe_overrides.h"

namespace tarsier {
namespace {

constexpr std::int64_t kMaxSteps = 1'000'000'000;

SynthData read_synth(const JsonView& json, bool needs_text) {
  expect_keys(json, {"level",
                     "seed",
                     "clips",
                     "frames",
                     "dense_captions",
                     "interval_captions",
                     "short_captions",
                     "web_captions",
                     "commentaries",
                     "web_wrong",
                     "drift_seconds",
                     "flawed_captions",
                     "omit",
                     "invent",
                     "languages",
                     "questions",
                     "question_weights",
                     "answer_weight",
                     "hint_weight",
                     "option_weight",
                     "colour_noise",
                     "key_token_weight"});
  SynthData data;
  data.level = json.string_or("level", data.level);
  data.seed = static_cast<std::uint64_t>(int_in(json, "seed", 1, 0, INT64_MAX));
  data.clips = int_in(json, "clips", data.clips, 0, INT64_MAX);
  data.frames = int_in(json, "frames", data.frames, 1, 768);
  data.dense_captions = double_in(json, "dense_captions", 0, 0, 16);
  data.interval_captions = double_in(json, "interval_captions", 0, 0, 16);
  data.short_captions = double_in(json, "short_captions", 0, 0, 16);
  data.web_captions = double_in(json, "web_captions", 0, 0, 16);
  data.commentaries = double_in(json, "commentaries", 0, 0, 16);
  data.web_wrong = double_in(json, "web_wrong", data.web_wrong, 0, 1);
  data.drift_seconds = double_in(json, "drift_seconds", data.drift_seconds, 0, 60);
  data.flawed_captions = double_in(json, "flawed_captions", 0, 0, 16);
  data.omit = double_in(json, "omit", data.omit, 0, 1);
  data.invent = double_in(json, "invent", data.invent, 0, 1);
  if (const auto languages = json.find("languages")) {
    data.languages.clear();
    for (std::int64_t i = 0; i < languages->size(); ++i) {
      data.languages.push_back(languages->at(i).as_string());
      language_named(data.languages.back());  // a wrong name is told before any work
    }
    if (data.languages.empty()) languages->fail("names no language", "leave it out for english");
  }
  data.questions = int_in(json, "questions", 0, 0, 64);
  if (const auto weights = json.find("question_weights")) {
    for (const std::string& kind : weights->keys()) {
      const auto is_among = [&](const auto& kinds) {
        return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
      };
      const bool is_heard = is_among(kSoundQuestionKinds);
      if (!is_heard && !is_among(kQuestionKinds))
        weights->at(kind).fail(
            "is no kind of question",
            fmt::format("kinds are {}, and of clips with sounds {}",
                        fmt::join(kQuestionKinds, ", "), fmt::join(kSoundQuestionKinds, ", ")));
      if (is_heard && level_named(data.level).max_sounds == 0)
        weights->at(kind).fail(
            fmt::format("asks about sounds, and the level {} has none", data.level),
            "leave it out, or set level to av");
      data.question_weights[kind] = double_in(*weights, kind, 1, 0.001, 1000);
    }
  }
  data.answer_weight = double_in(json, "answer_weight", 1, 0.01, 100);
  data.hint_weight = double_in(json, "hint_weight", 0, 0, 100);
  data.option_weight = double_in(json, "option_weight", 0, 0, 100);
  data.colour_noise = double_in(json, "colour_noise", 0, 0, 1);
  data.key_token_weight = double_in(json, "key_token_weight", 1, 0.01, 100);
  if (needs_text && data.dense_captions + data.interval_captions + data.short_captions +
                            data.web_captions + data.commentaries + data.flawed_captions +
                            static_cast<double>(data.questions) <=
                        0) {
    json.fail("asks for no caption and no question",
              "set dense_captions, interval_captions, short_captions or questions");
  }
  return data;
}

std::vector<std::string> read_strings(const JsonView& json) {
  if (!json.is_array()) json.fail("is not a list", "give a list of strings");
  std::vector<std::string> strings;
  for (std::int64_t i = 0; i < json.size(); ++i) strings.push_back(json.at(i).as_string());
  return strings;
}

ScheduleShape read_shape(const JsonView& json) {
  const std::string name = one_of(json, "schedule", "cosine", {"cosine", "linear", "constant"});
  if (name == "linear") return ScheduleShape::linear;
  return name == "constant" ? ScheduleShape::constant : ScheduleShape::cosine;
}

std::vector<WeightGroup> read_groups(const JsonView& json) {
  if (!json.is_array()) json.fail("is not a list", "give a list of groups");
  std::vector<WeightGroup> groups;
  for (std::int64_t i = 0; i < json.size(); ++i) {
    const JsonView entry = json.at(i);
    expect_keys(entry, {"match", "rate", "weight_decay"});
    WeightGroup group{entry.at("match").as_string(), double_in(entry, "rate", 1, 0, 1000), {}};
    if (entry.has("weight_decay")) group.weight_decay = double_in(entry, "weight_decay", 0, 0, 10);
    groups.push_back(std::move(group));
  }
  return groups;
}

DataSource read_source(const JsonView& json, const std::filesystem::path& folder,
                       const Stage& stage) {
  if (json.has("synth") == json.has("jsonl"))
    json.fail("needs either synth or jsonl", "name one source");
  DataSource source;
  source.weight = double_in(json, "weight", 1, 1e-6, 1e6);
  if (const auto synth = json.find("synth")) {
    if (stage.preference)
      synth->fail("has no pairs of answers", "give rows with preferences, of `tarsier data pairs`");
    source.synth = read_synth(*synth, stage.next_token > 0);
  }
  if (const auto jsonl = json.find("jsonl")) {
    expect_keys(*jsonl, {"file", "frames", "apart"});
    source.jsonl = JsonlData{folder / jsonl->at("file").as_string(), std::nullopt};
    if (jsonl->has("frames")) source.jsonl->frames = jsonl->at("frames").as_int(1, 768);
    source.jsonl->apart = jsonl->bool_or("apart", false);
    if (stage.visual_words + stage.event_probe + stage.event_cells > 0)
      json.fail("has no ground truth for visual_words, event_probe or event_cells",
                "use them with synth data, or give them weight 0");
  }
  return source;
}

std::vector<DataSource> read_data(const JsonView& json, const std::filesystem::path& folder,
                                  const Stage& stage) {
  const auto mix = json.find("mix");
  if (!mix) {
    expect_keys(json, {"synth", "jsonl"});
    return {read_source(json, folder, stage)};
  }
  expect_keys(json, {"mix"});
  if (!mix->is_array() || mix->size() == 0)
    mix->fail("names no source", "give a list of sources, each with its weight");
  std::vector<DataSource> sources;
  double all = 0;
  for (std::int64_t i = 0; i < mix->size(); ++i) {
    expect_keys(mix->at(i), {"weight", "synth", "jsonl"});
    sources.push_back(read_source(mix->at(i), folder, stage));
    all += sources.back().weight;
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].weight < kLeastShare * all)
      mix->at(static_cast<std::int64_t>(i))
          .fail(fmt::format("has {:.4f} of the weights, and {:.4f} is the least",
                            sources[i].weight / all, kLeastShare),
                "raise its weight or leave it out");
  }
  return sources;
}

AdapterShape read_adapter_shape(const JsonView& json) {
  expect_keys(json, {"rank", "alpha", "dropout", "target_modules", "base"});
  AdapterShape shape;
  shape.rank = int_in(json, "rank", shape.rank, 1, 1 << 16);
  shape.alpha = double_in(json, "alpha", shape.alpha, 1e-6, 1e6);
  shape.dropout = double_in(json, "dropout", shape.dropout, 0, 0.99);
  shape.int8_base = one_of(json, "base", "whole", {"whole", "int8"}) == "int8";
  if (const auto targets = json.find("target_modules"))
    shape.target_modules = read_strings(*targets);
  if (shape.target_modules.empty())
    json.fail("names no module", "give target_modules such as [\"q_proj\", \"v_proj\"]");
  return shape;
}

// `learning`: the weights that learn where the stage does not say.
Stage read_stage(const JsonView& json, const std::filesystem::path& folder,
                 const std::vector<std::string>& learning) {
  expect_keys(json, {"name",          "steps",       "clips_per_step", "accumulate",
                     "peak_rate",     "final_share", "warmup_steps",   "weight_decay",
                     "beta1",         "beta2",       "epsilon",        "clip_norm",
                     "optimizer",     "schedule",    "groups",         "vision_layer_decay",
                     "decay_vectors", "train",       "objectives",     "data",
                     "pack_tokens",   "pack_window", "freeze",         "preference"});
  Stage stage;
  stage.train = learning;
  stage.name = json.at("name").as_string();
  stage.steps = json.at("steps").as_int(1, kMaxSteps);
  stage.clips_per_step = int_in(json, "clips_per_step", stage.clips_per_step, 1, 65536);
  if (const auto tokens = json.find("pack_tokens")) {
    stage.pack_tokens = tokens->as_int(1, 1 << 24);
    if (json.has("clips_per_step"))
      tokens->fail("stands beside clips_per_step", "give one of the two");
  }
  if (json.has("pack_window") && !stage.pack_tokens)
    json.at("pack_window").fail("stands without pack_tokens", "give both or neither");
  stage.pack_window = int_in(json, "pack_window", stage.pack_window, 1, 4096);
  stage.accumulate = int_in(json, "accumulate", 1, 1, 65536);
  stage.peak_rate = double_in(json, "peak_rate", stage.peak_rate, 0, 1);
  stage.final_share = double_in(json, "final_share", stage.final_share, 0, 1);
  stage.warmup_steps = int_in(json, "warmup_steps", stage.warmup_steps, 0, kMaxSteps);
  stage.weight_decay = double_in(json, "weight_decay", stage.weight_decay, 0, 10);
  stage.beta1 = double_in(json, "beta1", stage.beta1, 0, 0.9999);
  stage.beta2 = double_in(json, "beta2", stage.beta2, 0, 0.99999);
  stage.epsilon = double_in(json, "epsilon", stage.epsilon, 1e-16, 1);
  stage.clip_norm = double_in(json, "clip_norm", stage.clip_norm, 1e-6, 1e6);
  stage.rule = one_of(json, "optimizer", "adamw", {"adamw", "muon"}) == "muon" ? UpdateRule::muon
                                                                               : UpdateRule::adamw;
  stage.schedule = read_shape(json);
  stage.decay_vectors = json.bool_or("decay_vectors", false);
  if (const auto groups = json.find("groups")) stage.groups = read_groups(*groups);
  stage.vision_layer_decay = double_in(json, "vision_layer_decay", 1, 0.01, 1);
  if (const auto train = json.find("train")) stage.train = read_strings(*train);
  if (const auto freeze = json.find("freeze")) stage.freeze = read_strings(*freeze);
  if (const auto objectives = json.find("objectives")) {
    expect_keys(*objectives, {"next_token", "visual_words", "event_probe", "event_cells"});
    stage.next_token = double_in(*objectives, "next_token", 0, 0, 1000);
    stage.visual_words = double_in(*objectives, "visual_words", 0, 0, 1000);
    stage.event_probe = double_in(*objectives, "event_probe", 0, 0, 1000);
    stage.event_cells = double_in(*objectives, "event_cells", 0, 0, 1000);
    if (stage.next_token + stage.visual_words + stage.event_probe + stage.event_cells <= 0)
      objectives->fail("gives every objective weight 0", "set one above 0");
  }
  if (const auto preference = json.find("preference")) {
    if (json.has("objectives")) preference->fail("stands beside objectives", "give one of the two");
    stage.preference = read_preference(*preference);
    stage.next_token = 0;
  }
  stage.sources = read_data(json.at("data"), folder, stage);
  return stage;
}

}  // namespace

std::int64_t Recipe::total_steps() const {
  std::int64_t total = 0;
  for (const Stage& stage : stages) total += stage.steps;
  return total;
}

namespace {

std::vector<TakenWeights> read_weights_from(const JsonView& json,
                                            const std::filesystem::path& folder) {
  std::vector<TakenWeights> all;
  for (std::int64_t i = 0; i < json.size(); ++i) {
    const JsonView each = json.at(i);
    expect_keys(each, {"model", "weights"});
    TakenWeights& taken = all.emplace_back();
    taken.model = folder / each.at("model").as_string();
    const JsonView patterns = each.at("weights");
    for (std::int64_t k = 0; k < patterns.size(); ++k)
      taken.patterns.push_back(patterns.at(k).as_string());
  }
  return all;
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const JsonView json = read_with_overrides(file, overrides);
  const std::string canonical = json.raw().dump();
  expect_keys(json, {"model", "random_weights", "weights_from", "seed", "compute", "export_dtype",
                     "save_every", "keep_checkpoints", "log_every", "logit_chunk", "ema",
                     "sample_every", "sample_clips", "max_bad", "workers", "recompute", "adapter",
                     "media_cache_mb", "stages"});
  Recipe recipe;
  recipe.text = json.raw().dump(1);
  recipe.hash = sha256_hex(std::as_bytes(std::span(canonical.data(), canonical.size())));
  recipe.model = file.parent_path() / json.at("model").as_string();
  if (json.has("random_weights"))
    recipe.random_weights =
        static_cast<std::uint64_t>(json.at("random_weights").as_int(0, INT64_MAX));
  if (const auto taken = json.find("weights_from")) {
    if (!recipe.random_weights)
      taken->fail("stands without random_weights", "say which weights begin afresh by their seed");
    recipe.weights_from = read_weights_from(*taken, file.parent_path());
  }
  recipe.seed = static_cast<std::uint64_t>(int_in(json, "seed", 1, 0, INT64_MAX));
  recipe.compute = one_of(json, "compute", recipe.compute, {"auto", "f32", "bf16", "mixed"});
  recipe.export_dtype = one_of(json, "export_dtype", recipe.export_dtype, {"f32", "bf16", "f16"});
  if (const auto adapter = json.find("adapter")) {
    recipe.adapter = read_adapter_shape(*adapter);
    if (recipe.adapter->int8_base && !recipe.weights_from.empty())
      adapter->fail("keeps in 8 bits what weights_from would change", "leave one of them out");
  }
  const std::vector<std::string> learning{recipe.adapter ? "*.lora_" : ""};
  recipe.recompute = json.bool_or("recompute", false);
  recipe.workers = int_in(json, "workers", recipe.workers, 1, 1024);
  recipe.save_every = int_in(json, "save_every", recipe.save_every, 1, kMaxSteps);
  recipe.keep_checkpoints = int_in(json, "keep_checkpoints", recipe.keep_checkpoints, 1, 1000);
  recipe.log_every = int_in(json, "log_every", recipe.log_every, 1, kMaxSteps);
  recipe.logit_chunk = int_in(json, "logit_chunk", recipe.logit_chunk, 1, 1 << 30);
  recipe.media_cache_mb = int_in(json, "media_cache_mb", 0, 0, 1 << 20);
  recipe.ema = double_in(json, "ema", recipe.ema, 0, 0.9999999);
  recipe.sample_every = int_in(json, "sample_every", recipe.sample_every, 0, kMaxSteps);
  recipe.sample_clips = int_in(json, "sample_clips", recipe.sample_clips, 1, 1000);
  recipe.max_bad = double_in(json, "max_bad", recipe.max_bad, 0, 1);
  const JsonView stages = json.at("stages");
  if (!stages.is_array() || stages.size() == 0)
    stages.fail("has no stage", "give a list with at least one");
  for (std::int64_t i = 0; i < stages.size(); ++i)
    recipe.stages.push_back(read_stage(stages.at(i), file.parent_path(), learning));
  for (std::size_t i = 1; i < recipe.stages.size(); ++i) {
    if (recipe.stages[i].preference)
      stages.at(static_cast<std::int64_t>(i))
          .fail("is preference training behind another stage",
                "its reference is the model that the recipe begins with: give it a recipe of its "
                "own");
  }
  return recipe;
}

}  // namespace tarsier
