#include "tarsier/ablation/ablation.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/ablation/pool.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/eval/world.h"
#include "tarsier/models/registry.h"
#include "tarsier/rollout/rounds.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

// The rows that are wanted, in the plan's order.
std::vector<const AblationRow*> chosen_rows(const AblationPlan& plan,
                                            const std::vector<std::string>& names) {
  std::set<std::string> wanted(names.begin(), names.end());
  for (const std::string& name : wanted) {
    if (std::none_of(plan.rows.begin(), plan.rows.end(),
                     [&](const AblationRow& row) { return row.name == name; }))
      throw ConfigError(
          {"--rows", fmt::format("'{}' is no row of the plan", name), "leave it out for all rows"});
  }
  std::vector<const AblationRow*> rows;
  for (const AblationRow& row : plan.rows) {
    if (names.empty() || wanted.contains(row.name)) rows.push_back(&row);
  }
  return rows;
}

fs::path folder_of(const fs::path& out, const std::string& row, std::uint64_t seed) {
  return out / row / fmt::format("seed_{}", seed);
}

// What the run's last checkpoint says it took, over all of its restarts.
double seconds_in(const fs::path& run) {
  double seconds = 0;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    const JsonView state = read_json(entry.path() / "state.json", JsonOwner::checkpoint);
    seconds = std::max(seconds, state.at("seconds").as_double());
  }
  return seconds;
}

// Whether the run has come to its end and has left its model. What is still to be done of one that
// has not, the trainer knows.
bool is_finished(const fs::path& run, const Recipe& recipe) {
  const fs::path model = run / "model" / kManifestName;
  if (!fs::exists(model) || !fs::exists(run / "checkpoints")) return false;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    const fs::path file = entry.path() / "state.json";
    if (!fs::exists(file) || fs::last_write_time(file) > fs::last_write_time(model)) continue;
    const JsonView state = read_json(file, JsonOwner::checkpoint);
    if (state.at("step").as_int() == recipe.total_steps() &&
        state.at("recipe_hash").as_string() == recipe.hash)
      return true;
  }
  return false;
}

class Ablation {
 public:
  Ablation(const AblationPlan& plan, const AblationOptions& options, const AblationOrigin& origin,
           AblationResults& results)
      : plan_(plan), options_(options), origin_(origin), results_(results) {}

  TrainOutcome run() {
    const std::vector<const AblationRow*> rows = chosen_rows(plan_, options_.rows);
    for (const std::uint64_t seed : options_.seeds) {
      for (const AblationRow* row : rows) {
        if (results_.has(row->name, seed)) continue;
        if (origin_.start.empty()) origin_.start = first_weights(plan_);
        results_.check_start(origin_.start);
        if (const TrainOutcome outcome = train_row(*row, seed); outcome != TrainOutcome::finished)
          return outcome;
        if (!score_row(*row, seed)) return TrainOutcome::stopped;
      }
    }
    return TrainOutcome::finished;
  }

 private:
  TrainOutcome train_row(const AblationRow& row, std::uint64_t seed) {
    fs::path parent;
    if (row.from) {
      const auto from = std::find_if(plan_.rows.begin(), plan_.rows.end(),
                                     [&](const auto& other) { return other.name == *row.from; });
      const TrainOutcome outcome = train_row(*from, seed);
      if (outcome != TrainOutcome::finished) return outcome;
      parent = folder_of(options_.out, from->name, seed) / "model";
    }
    if (row.round) return run_rounds_of(row, seed, parent);
    fs::path pairs;
    if (row.pairs) {
      const auto found = pairs_of(row, seed, parent);
      if (!found) return TrainOutcome::stopped;
      pairs = *found;
    }
    const Recipe recipe = ablation_recipe(row, seed, parent, pairs);
    const fs::path run = run_of(row, seed);
    // Not even its model is written anew: another process may read it.
    if (is_finished(run, recipe)) return TrainOutcome::finished;
    log_info(fmt::format("ablation: {}, seed {}", row.name, seed));
    return train(recipe, {.out = run,
                          .resume = true,
                          .stop = options_.stop,
                          .machine = options_.machine,
                          .device = options_.device});
  }

  PoolOptions pool_options(std::uint64_t seed) const {
    return {.level = plan_.level,
            .seed = seed,
            .workers = at::get_num_threads(),
            .stop = options_.stop};
  }

  // Rows that learn from one pool share its answers.
  fs::path pool_folder(const std::string& pool, std::uint64_t seed) const {
    return folder_of(options_.out, "pool_" + pool, seed);
  }

  std::optional<fs::path> pairs_of(const AblationRow& row, std::uint64_t seed,
                                   const fs::path& model) const {
    const PoolOptions options = pool_options(seed);
    const auto scored = answer_pool(plan_.pools.at(row.pairs->pool), model,
                                    pool_folder(row.pairs->pool, seed), options);
    if (!scored) return std::nullopt;
    return choose_pool_pairs(*row.pairs, *scored, folder_of(options_.out, row.name, seed) / "pairs",
                             options);
  }

  // All rounds of the row's recipe; rows that are rounds of one recipe share them.
  TrainOutcome run_rounds_of(const AblationRow& row, std::uint64_t seed, const fs::path& model) {
    const AnswerPool& pool = plan_.pools.at(row.pool);
    const auto rows = write_pool_rows(pool, pool_folder(row.pool, seed), pool_options(seed));
    if (!rows) return TrainOutcome::stopped;
    std::vector<std::string> overrides = row.overrides;
    const auto set_path = [&](const std::string& key, const fs::path& path) {
      overrides.push_back(key + "=" + nlohmann::json(fs::absolute(path).string()).dump());
    };
    set_path("model", model);
    set_path("rows", *rows);
    overrides.push_back(fmt::format("sample.seed={}", seed));
    overrides.push_back(fmt::format("train.seed={}", seed));
    const RoundsRecipe recipe = read_rounds_recipe(row.recipe, overrides);
    if (*row.round > recipe.rounds)
      throw ConfigError({row.name, fmt::format("is round {} of {}", *row.round, recipe.rounds),
                         "raise \"rounds\" in its recipe"});
    if (read_lineage(round_folder(rounds_folder(row, seed), *row.round)))
      return TrainOutcome::finished;
    RoundsOptions options;
    options.out = rounds_folder(row, seed);
    options.judges = exact_judges(Language::english);
    options.workers = at::get_num_threads();
    options.machine = options_.machine;
    options.device = options_.device;
    options.stop = options_.stop;
    return run_rounds(recipe, options);
  }

  fs::path rounds_folder(const AblationRow& row, std::uint64_t seed) const {
    return folder_of(options_.out, "rounds_" + row.pool, seed);
  }

  // Where the row's training left its model.
  fs::path run_of(const AblationRow& row, std::uint64_t seed) const {
    if (!row.round) return folder_of(options_.out, row.name, seed);
    return round_folder(rounds_folder(row, seed), *row.round) / "run";
  }

  // False when stopped.
  bool score_row(const AblationRow& row, std::uint64_t seed) {
    const fs::path run = run_of(row, seed);
    const auto model = load_model(run / "model");
    WorldEvalSettings settings;
    settings.level = plan_.level;
    settings.seed = plan_.clip_seed;
    settings.clips = plan_.clips;
    settings.questions_per_clip = plan_.questions;
    settings.clips_in = options_.out / "clips";  // every row is asked about the same
    const WorldEvalResult result = evaluate_world(*model, settings, {}, options_.stop);
    if (options_.stop.stop_requested()) return false;
    AblationScores scores{.seed = seed, .train_seconds = seconds_in(run), .scores = {}};
    const nlohmann::json all =
        world_scores_json(result.scores, result.unseen, settings.seed, row.name);
    for (const auto& [key, value] : all.items()) {
      const bool is_of_questions = key == "qa" || key.starts_with("probe");
      if (is_of_questions && plan_.questions == 0) continue;
      if (value.is_number() && key != "seed" && key != "clips" && !key.starts_with("unseen_"))
        scores.scores[key] = value.get<double>();
    }
    for (const auto& [kind, accuracy] : result.scores.qa_by_kind)
      scores.scores["qa_" + kind] = accuracy;
    results_.add(row.name, std::move(scores), origin_);
    return true;
  }

  const AblationPlan& plan_;
  const AblationOptions& options_;
  AblationOrigin origin_;
  AblationResults& results_;
};

}  // namespace

TrainOutcome run_ablation(const AblationPlan& plan, const AblationOptions& options,
                          const AblationOrigin& origin, AblationResults& results) {
  return Ablation(plan, options, origin, results).run();
}

}  // namespace tarsier
