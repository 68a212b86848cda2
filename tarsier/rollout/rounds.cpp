#include "tarsier/rollout/rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/data/pairs/candidates.h"
#include "tarsier/data/pairs/pairs.h"
#include "tarsier/models/registry.h"
#include "tarsier/rollout/rounds_score.h"
#include "tarsier/rollout/row_jobs.h"
#include "tarsier/rollout/row_slice.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kLineage[] = "lineage.json";

// A stop was asked for: what is done is kept.
struct Stopped {};

class Rounds {
 public:
  Rounds(const RoundsRecipe& recipe, const RoundsOptions& options)
      : recipe_(recipe), options_(options) {}

  TrainOutcome run() {
    claim();
    try {
      RoundLineage before = begin();
      RoundLineage best = before;
      for (std::int64_t round = 1; round <= recipe_.rounds; ++round) {
        const RoundLineage now = round_done(round, before);
        const bool gained = !now.error || *before.error - *now.error > recipe_.min_gain;
        if (!now.error || *now.error < *best.error) best = now;
        if (!gained) {
          log_info(fmt::format("round {}: {:.4f} errors per event after {:.4f}: the last", round,
                               *now.error, *before.error));
          break;
        }
        before = now;
      }
      publish(best.round);
      return TrainOutcome::finished;
    } catch (const Stopped&) {
      return TrainOutcome::stopped;
    } catch (const Diverged&) {
      return TrainOutcome::diverged;
    }
  }

 private:
  struct Diverged {};

  // The folder is this recipe's.
  void claim() const {
    fs::create_directories(options_.out);
    const fs::path file = options_.out / "rounds.json";
    const std::string settings =
        Json{{"recipe", recipe_.hash}, {"judges", Json::parse(options_.judges.json())}}.dump(1) +
        "\n";
    if (fs::exists(file)) {
      if (read_json(file, JsonOwner::checkpoint).raw() == Json::parse(settings)) return;
      throw ConfigError(
          {options_.out.string(), "holds rounds of another recipe or judge", "use another --out"});
    }
    write_file_atomically(file, settings);
  }

  // What the first policy is worth.
  RoundLineage begin() const {
    const fs::path folder = round_folder(options_.out, 0);
    if (const auto done = read_lineage(folder)) return *done;
    RoundLineage lineage;
    lineage.policy = lineage.reference = lineage.model = weights_sha256(recipe_.model);
    validate(recipe_.model, folder, lineage);
    finish(folder, lineage);
    return lineage;
  }

  fs::path policy_of(std::int64_t round) const {
    return round == 1 ? recipe_.model : round_folder(options_.out, round - 1) / "run" / "model";
  }

  RoundLineage round_done(std::int64_t round, const RoundLineage& before) const {
    const fs::path folder = round_folder(options_.out, round);
    if (const auto done = read_lineage(folder)) return *done;
    log_info(fmt::format("round {} of {}", round, recipe_.rounds));
    const fs::path policy = policy_of(round);
    RoundLineage lineage;
    lineage.round = round;
    lineage.policy = lineage.reference = weights_sha256(policy);
    if (lineage.policy != before.model)
      throw CheckpointError({policy.string(), "is not what the round before ended with",
                             "restore it, or remove this round and those behind it"});
    const fs::path rows = rows_of(round, folder);
    lineage.rows = sha256_of_file(rows);
    const fs::path pairs = make_pairs(lineage, policy, rows, folder);
    lineage.pairs = sha256_of_file(pairs);
    lineage.pair_count = count_rows(pairs);
    if (lineage.pair_count == 0)
      throw InputError({pairs.string(),
                        "has no pair: the answers of this round do not differ enough",
                        "lower min_gap or delta, sample more, or take the round before"});
    train_round(round, policy, pairs, folder);
    const fs::path model = folder / "run" / "model";
    lineage.model = weights_sha256(model);
    validate(model, folder, lineage);
    finish(folder, lineage);
    return lineage;
  }

  fs::path rows_of(std::int64_t round, const fs::path& folder) const {
    if (recipe_.rows_per_round == 0) return recipe_.rows;
    const fs::path file = folder / "rows.jsonl";
    if (!fs::exists(file))
      write_slice(recipe_.rows, (round - 1) * recipe_.rows_per_round, recipe_.rows_per_round, file);
    return file;
  }

  fs::path make_pairs(const RoundLineage& lineage, const fs::path& policy, fs::path rows,
                      const fs::path& folder) const {
    const auto later_seed = [&](std::uint64_t seed) {
      return seed + static_cast<std::uint64_t>(lineage.round) - 1;
    };
    if (recipe_.corrupt) {
      CorruptionSettings corrupt = *recipe_.corrupt;
      corrupt.seed = later_seed(corrupt.seed);
      rows = done(run_row_job("corrupt", rows, folder / "corrupted", corrupt.json(),
                              make_corruption_stage(corrupt), jobs()));
    }
    SampleSettings sample = recipe_.sample;
    sample.seed = later_seed(sample.seed);
    rows = sampled(policy, lineage.policy, rows, folder / "samples", sample);
    rows = scored(rows, folder / "scored");
    return done(run_row_job("pairs", rows, folder / "pairs", recipe_.pairs.json(),
                            make_pair_stage(recipe_.pairs), jobs()));
  }

  // A job's rows.
  static fs::path done(std::optional<fs::path> rows) {
    if (!rows) throw Stopped();
    return *std::move(rows);
  }

  fs::path sampled(const fs::path& policy, const std::string& weights, const fs::path& rows,
                   const fs::path& out, const SampleSettings& settings) const {
    LoadOptions load;
    load.device = options_.device;
    return done(
        sample_rows({load_model(policy, load), weights, {}, 1}, settings, rows, out, jobs()));
  }

  fs::path scored(const fs::path& rows, const fs::path& out) const {
    return done(score_rows(options_.judges, rows, out, jobs()));
  }

  RowJobs jobs() const { return {options_.workers, options_.stop}; }

  void train_round(std::int64_t round, const fs::path& policy, const fs::path& pairs,
                   const fs::path& folder) const {
    const fs::path file = folder / "recipe.jsonc";
    const auto from_folder = [&](const fs::path& path) {
      return fs::absolute(path).lexically_normal().lexically_relative(
          fs::absolute(folder).lexically_normal());
    };
    write_file_atomically(file, round_training(recipe_, round, from_folder(policy).string(),
                                               from_folder(pairs).string()));
    const TrainOutcome outcome = train(read_recipe(file), {.out = folder / "run",
                                                           .resume = true,
                                                           .stop = options_.stop,
                                                           .machine = options_.machine,
                                                           .device = options_.device});
    if (outcome == TrainOutcome::stopped) throw Stopped();
    if (outcome == TrainOutcome::diverged) throw Diverged();
  }

  void validate(const fs::path& model, const fs::path& folder, RoundLineage& lineage) const {
    if (!recipe_.validation) return;
    SampleSettings greedy = recipe_.sample;
    greedy.intact = 1;
    greedy.corrupted = 0;
    greedy.temperature = 0;
    const fs::path rows = scored(
        sampled(model, lineage.model, *recipe_.validation, folder / "validation_samples", greedy),
        folder / "validation_scored");
    const RoundScore score = score_of_rows(rows);
    lineage.error = score.error;
    lineage.recall = score.recall;
    lineage.precision = score.precision;
    lineage.failed = count_rows(*recipe_.validation) - score.rows;
    log_info(fmt::format("round {}: {:.4f} errors per event, recall {:.4f}, precision {:.4f}",
                         lineage.round, score.error, score.recall, score.precision));
  }

  static void finish(const fs::path& folder, const RoundLineage& lineage) {
    fs::create_directories(folder);
    write_file_atomically(folder / kLineage, lineage_json(lineage).dump(1) + "\n");
  }

  // The best round's model under a name of its own.
  void publish(std::int64_t round) const {
    const fs::path from = policy_of(round + 1);
    std::int64_t bytes = 0;
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
      if (!entry.is_regular_file() || entry.path().filename() == kManifestName) continue;
      files.push_back(entry.path());
      bytes += static_cast<std::int64_t>(entry.file_size());
    }
    DirectoryCommit folder(options_.out / "model", bytes);
    for (const fs::path& file : files) fs::copy_file(file, folder.path() / file.filename());
    folder.commit();
    log_info(fmt::format("model: that of round {}", round));
  }

  const RoundsRecipe& recipe_;
  const RoundsOptions& options_;
};

}  // namespace

fs::path round_folder(const fs::path& out, std::int64_t round) {
  return out / fmt::format("round_{:02}", round);
}

Json lineage_json(const RoundLineage& lineage) {
  Json json{{"round", lineage.round},         {"policy", lineage.policy},
            {"reference", lineage.reference}, {"rows", lineage.rows},
            {"pairs", lineage.pairs},         {"pair_count", lineage.pair_count},
            {"model", lineage.model}};
  if (lineage.error)
    json["validation"] = {{"error", *lineage.error},
                          {"recall", *lineage.recall},
                          {"precision", *lineage.precision},
                          {"failed", lineage.failed}};
  return json;
}

std::optional<RoundLineage> read_lineage(const fs::path& round) {
  if (!fs::exists(round / kLineage)) return std::nullopt;
  const JsonView json = read_json(round / kLineage, JsonOwner::checkpoint);
  RoundLineage lineage;
  lineage.round = json.at("round").as_int();
  lineage.policy = json.at("policy").as_string();
  lineage.reference = json.at("reference").as_string();
  lineage.rows = json.at("rows").as_string();
  lineage.pairs = json.at("pairs").as_string();
  lineage.pair_count = json.at("pair_count").as_int();
  lineage.model = json.at("model").as_string();
  if (const auto validation = json.find("validation")) {
    lineage.error = validation->at("error").as_double();
    lineage.recall = validation->at("recall").as_double();
    lineage.precision = validation->at("precision").as_double();
    lineage.failed = validation->at("failed").as_int();
  }
  return lineage;
}

TrainOutcome run_rounds(const RoundsRecipe& recipe, const RoundsOptions& options) {
  return Rounds(recipe, options).run();
}

}  // namespace tarsier
