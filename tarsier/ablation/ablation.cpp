#include "tarsier/train/ablation/ablation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/eval/world.h"
#include "tarsier/models/registry.h"

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
    const Recipe recipe = ablation_recipe(row, seed, parent);
    const fs::path run = folder_of(options_.out, row.name, seed);
    // Not even its model is written anew: another process may read it.
    if (is_finished(run, recipe)) return TrainOutcome::finished;
    log_info(fmt::format("ablation: {}, seed {}", row.name, seed));
    return train(recipe, {.out = run,
                          .resume = true,
                          .stop = options_.stop,
                          .machine = options_.machine,
                          .device = options_.device});
  }

  // False when stopped.
  bool score_row(const AblationRow& row, std::uint64_t seed) {
    const fs::path run = folder_of(options_.out, row.name, seed);
    const auto model = load_model(run / "model");
    WorldEvalSettings settings;
    settings.level = plan_.level;
    settings.seed = plan_.clip_seed;
    settings.clips = plan_.clips;
    settings.clips_in = options_.out / "clips";  // every row is asked about the same
    const WorldEvalResult result = evaluate_world(*model, settings, {}, options_.stop);
    if (options_.stop.stop_requested()) return false;
    AblationScores scores{.seed = seed, .train_seconds = seconds_in(run), .scores = {}};
    const nlohmann::json all =
        world_scores_json(result.scores, result.unseen, settings.seed, row.name);
    for (const auto& [key, value] : all.items()) {
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
  const AblationOrigin& origin_;
  AblationResults& results_;
};

}  // namespace

TrainOutcome run_ablation(const AblationPlan& plan, const AblationOptions& options,
                          const AblationOrigin& origin, AblationResults& results) {
  return Ablation(plan, options, origin, results).run();
}

}  // namespace tarsier
