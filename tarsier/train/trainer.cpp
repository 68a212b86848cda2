#include "tarsier/train/trainer.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/tensor/device.h"
#include "tarsier/tensor/workers.h"
#include "tarsier/train/bad_samples.h"
#include "tarsier/train/compute_choice.h"
#include "tarsier/train/distributed/agreement.h"
#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/distributed/data_parallel.h"
#include "tarsier/train/export.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/optimizer/average.h"
#include "tarsier/train/preference/first_step.h"
#include "tarsier/train/preference/reference.h"
#include "tarsier/train/prefetch.h"
#include "tarsier/train/report.h"
#include "tarsier/train/run_setup.h"
#include "tarsier/train/sample_answers.h"
#include "tarsier/train/sample_log.h"
#include "tarsier/train/stage_sources.h"
#include "tarsier/train/step.h"
#include "tarsier/train/train_log.h"
#include "tarsier/train/train_state.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSkippedInRow = 10;
// Of the residual stream of micro-batches that a GPU takes as one: those of a tiny model. Of a
// large one they are apart to save memory.
constexpr std::int64_t kJoinedValues = 8 << 20;

// The data of the next step, and how long it was waited for.
StepData next_data(Prefetch& prefetch, double& waited) {
  const auto begin = std::chrono::steady_clock::now();
  StepData data = prefetch.next();
  waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return data;
}

// Whose checkpoints are gone on from.
const fs::path& resumed_run(const TrainOptions& options) {
  const bool elsewhere = options.resume_from && !has_checkpoint(options.out);
  return elsewhere ? *options.resume_from : options.out;
}

bool learns_preferences(const Recipe& recipe) {
  return std::any_of(recipe.stages.begin(), recipe.stages.end(),
                     [](const Stage& stage) { return stage.preference.has_value(); });
}

// Of all stages: which weights learn in one of them.
std::vector<std::string> train_patterns(const Recipe& recipe) {
  std::vector<std::string> patterns;
  for (const Stage& stage : recipe.stages)
    patterns.insert(patterns.end(), stage.train.begin(), stage.train.end());
  return patterns;
}

std::string reference_hash(const Recipe& recipe) {
  return learns_preferences(recipe) && !recipe.random_weights ? weights_sha256(recipe.model) : "";
}

// A run under way. Constructed, it is where it was left, or at its beginning.
class Run {
 public:
  Run(const Recipe& recipe, const TrainOptions& options, Communicator& world)
      : recipe_(recipe),
        options_(options),
        world_(world),
        compute_(choose()),
        model_(load_trainable(recipe, compute_, options.device)),
        adapter_(attach_adapter()),
        reference_hash_(reference_hash(recipe)),
        sources_(*model_, recipe, reference_hash_),
        learner_(model_, sources_.word_tokens(), recipe.logit_chunk, place(),
                 {adapter_, train_patterns(recipe)}),
        workers_(worker_count(recipe, options.device)),
        peak_(static_cast<double>(world.size()) *
              measured_peak(compute_, workers_, options.device)),
        state_(resume()) {
    state_.compute = compute_.name();
    if (recipe.media_cache_mb > 0) learner_.keep_media(recipe.media_cache_mb << 20);
    if (learns_preferences(recipe)) learner_.set_reference(open_reference());
    if (!leads()) return;
    log_.emplace(options.out, recipe.log_every, state_.step, peak_);
    sample_log_.emplace(options.out, state_.step);
  }

  /// How this process computes, for machine.json.
  Facts facts() const { return compute_facts(compute_, workers_, peak_, options_.device); }

  TrainOutcome train() {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < recipe_.stages.size(); ++i) {
      const std::int64_t end = begin + recipe_.stages[i].steps;
      if (state_.step < end) {
        if (const auto outcome = train_stage(i, begin, end)) {
          report();
          return *outcome;
        }
      }
      // A run killed between its last checkpoint and this comes here again.
      if (state_.step == end) {
        export_result();
        report();
      }
      begin = end;
    }
    return TrainOutcome::finished;
  }

 private:
  RankPlace place() const { return {world_.rank(), world_.size()}; }
  // A CPU's cores belong to the step, and it takes each micro-batch as it comes.
  PrefetchSettings data_settings() const {
    if (options_.device.is_cpu()) return {.place = place()};
    return {.place = place(),
            .threads = at::get_num_threads(),
            .join_tokens = kJoinedValues / model_->decoder().config().hidden_size};
  }
  // Rank 0 alone writes.
  bool leads() const { return world_.rank() == 0; }

  // Rank 0's choice, for it has the checkpoints and its own speed.
  ComputeChoice choose() const {
    if (world_.size() == 1)
      return choose_compute(recipe_, resumed_run(options_), options_.resume, options_.device);
    ComputeChoice choice;
    if (leads())
      choice = choose_compute(recipe_, resumed_run(options_), options_.resume, options_.device);
    return agree_on(world_, choice);
  }

  std::shared_ptr<const TrainableAdapter> attach_adapter() {
    if (!recipe_.adapter) return nullptr;
    return std::make_shared<const TrainableAdapter>(*model_, *recipe_.adapter, recipe_.seed);
  }

  // Paths of the model's own weights that learn beside its adapter.
  std::vector<std::string> beside_adapter() const {
    std::vector<std::string> paths;
    for (const Optimizer::Parameter& parameter : learner_.optimizer().parameters()) {
      if (parameter.path.find(".lora_") == std::string::npos &&
          part_of(parameter.path) != "training_only")
        paths.push_back(parameter.path);
    }
    return paths;
  }

  // The recipe's model: its weights, a second time where the policy's own learn.
  std::shared_ptr<Reference> open_reference() const {
    const std::string ranks =
        world_.size() == 1 ? "" : fmt::format(".{}of{}", world_.rank(), world_.size());
    const std::string weights =
        recipe_.random_weights ? fmt::format("fresh {}", *recipe_.random_weights) : reference_hash_;
    const bool apart = adapter_ && beside_adapter().empty();
    return std::make_shared<Reference>(
        apart ? model_ : load_trainable(recipe_, compute_, options_.device),
        apart ? Reference::Weights::of_policy : Reference::Weights::own,
        options_.out / fmt::format("reference{}.jsonl", ranks),
        fmt::format("{} {}{}", weights, compute_.name(),
                    adapter_ && recipe_.adapter->int8_base ? ", layers in 8 bits" : ""),
        recipe_.logit_chunk);
  }

  // Before the state is loaded into the optimizer. Stages are tried in turn, so that a pattern that
  // names nothing is an error now.
  void prepare() {
    for (const Stage& stage : recipe_.stages) learner_.begin_stage(stage);
    if (recipe_.ema > 0) start_averages(learner_.optimizer());
  }

  TrainState resume() {
    prepare();
    const fs::path checkpoints = options_.out / "checkpoints";
    if (leads()) {
      remove_abandoned_commits(checkpoints);
      remove_abandoned_commits(options_.out);
    }
    if (options_.resume) {
      if (auto saved =
              load_checkpoint(resumed_run(options_), recipe_.hash, learner_.optimizer(), world_)) {
        if (leads())
          log_info(fmt::format("resuming at step {} of {}", saved->step, recipe_.total_steps()));
        return *saved;
      }
      if (resumed_run(options_) != options_.out)
        throw CheckpointError({resumed_run(options_).string(), "holds no whole checkpoint",
                               "pass the --out of a run that has saved one"});
    }
    TrainState fresh;
    fresh.recipe_hash = recipe_.hash;
    return fresh;
  }

  // Steps [begin, end) of the run, those that are left; nullopt when all are done and the run goes
  // on.
  std::optional<TrainOutcome> train_stage(std::size_t index, std::int64_t begin, std::int64_t end) {
    const Stage& stage = recipe_.stages[index];
    if (state_.step == begin) {
      state_.samples = 0;
      state_.waiting.clear();
      state_.reward_sum = state_.reward_count = 0;
      learner_.optimizer().reset_moments();
    }
    learner_.begin_stage(stage);
    const std::optional<SampleAnswers> samples = samples_of(index);
    Prefetch prefetch(sources_.of(index), stage, state_.samples, state_.waiting, data_settings());
    while (state_.step < end) {
      double waited = 0;
      const StepData data = next_data(prefetch, waited);
      const StepTotals totals = total(world_, data, waited);
      count_bad(data, totals.bad, recipe_.max_bad, state_);
      StepReport report = take_step(learner_, workers_, world_, data, totals, stage,
                                    state_.step - begin, state_.mean_reward(), dropout_key());
      if (stage.preference && state_.step == 0)
        check_first_step(report.losses.pairs, data, *stage.preference, compute_);
      report.seconds += totals.waited;
      finish_step(data, stage, report);
      if (samples && state_.step % recipe_.sample_every == 0) ask(*samples, stage);
      if (state_.skipped_in_row >= kMaxSkippedInRow) return TrainOutcome::diverged;
      const bool stop = any(world_, options_.stop.stop_requested());
      if (stop || state_.step % recipe_.save_every == 0 || state_.step == end) {
        learner_.flush_reference();
        save_checkpoint(options_.out, state_, learner_.optimizer(), recipe_.keep_checkpoints,
                        world_);
      }
      if (stop && state_.step < recipe_.total_steps()) return TrainOutcome::stopped;
    }
    return std::nullopt;
  }

  // Of the step that comes.
  std::uint64_t dropout_key() const {
    constexpr std::uint64_t kStream = 0x64726f70;  // "drop"
    return Random({kStream, recipe_.seed, static_cast<std::uint64_t>(state_.step)}).next();
  }

  // nullopt where none are wanted, or the stage does not teach to speak.
  std::optional<SampleAnswers> samples_of(std::size_t index) const {
    if (!leads() || recipe_.sample_every == 0 || recipe_.stages[index].next_token == 0)
      return std::nullopt;
    return SampleAnswers(*model_, *sources_.held_out(index), recipe_.sample_clips);
  }

  void ask(const SampleAnswers& samples, const Stage& stage) {
    try {
      sample_log_->add(state_.step, stage.name, samples.ask(options_.stop), log_->tensorboard());
    } catch (const CheckpointError& error) {  // logits that are not numbers: training itself tells
      log_warning(fmt::format("step {}: no sample answers: {}", state_.step, error.what()));
    }
  }

  void export_result() {
    std::optional<AveragedWeights> averaged;
    if (recipe_.ema > 0) {
      averaged.emplace(learner_.optimizer());
      spread_weights(world_, learner_.optimizer());
    }
    if (leads()) {
      export_model(*model_, recipe_, options_.out / "model");
      if (adapter_)
        adapter_->save(*model_, beside_adapter(), recipe_.model.lexically_normal().string(),
                       options_.out / "adapter");
    }
    if (recipe_.ema > 0) {
      averaged.reset();
      spread_weights(world_, learner_.optimizer());
    }
  }

  // The page is a convenience: a run does not end for the want of it.
  void report() const {
    if (!leads() || !fs::exists(options_.out / "metrics.jsonl")) return;  // or nothing logged yet
    try {
      write_report(options_.out);
    } catch (const Error& error) {
      log_warning(fmt::format("no report: {}", error.what()));
    }
  }

  void finish_step(const StepData& data, const Stage& stage, StepReport& report) {
    ++state_.step;
    state_.samples += data.samples;
    state_.waiting = data.waiting;
    state_.seconds += report.seconds;
    const PairReport& pairs = report.losses.pairs;
    if (!report.skipped) {
      state_.reward_sum += pairs.reward_chosen + pairs.reward_rejected;
      state_.reward_count += 2 * pairs.pairs;
    }
    state_.skipped_in_row = report.skipped ? state_.skipped_in_row + 1 : 0;
    if (report.skipped) {
      ++state_.skipped;
      const bool empty = data.micro_batches.empty();
      log_warning(fmt::format("step {}: {}; skipped ({})", state_.step,
                              empty ? "has no usable sample" : "loss or gradient is not finite",
                              empty ? "named above" : ids_of(data)));
    }
    if (recipe_.ema > 0 && !report.skipped)
      update_averages(learner_.optimizer(),
                      average_decay(recipe_.ema, state_.step - state_.skipped));
    report.step = state_.step;
    report.total_steps = recipe_.total_steps();
    report.stage = stage.name;
    if (log_) log_->add(report);
  }

  const Recipe& recipe_;
  const TrainOptions& options_;
  Communicator& world_;
  ComputeChoice compute_;
  std::shared_ptr<VideoLanguageModel> model_;
  std::shared_ptr<const TrainableAdapter> adapter_;  // null without one
  std::string reference_hash_;  // empty where no stage needs it, or weights begin fresh
  StageSources sources_;
  Learner learner_;
  Workers workers_;
  double peak_;  // FLOP/s
  TrainState state_;
  std::optional<TrainLog> log_;
  std::optional<SampleLog> sample_log_;
};

}  // namespace

TrainOutcome train(const Recipe& recipe, const TrainOptions& options) {
  keep_freed_memory();
  if (options.launch) check_shares(recipe, options.launch->size);
  const auto world = join_ranks(options.launch, options.device, options.rank_limit);
  check_same_recipe(*world, recipe);
  if (world->rank() == 0) create_directories_durably(options.out);
  Run run(recipe, options, *world);
  if (world->rank() == 0) {
    Facts machine = options.machine;
    for (auto& fact : run.facts()) machine.push_back(std::move(fact));
    machine.emplace_back("ranks", std::to_string(world->size()));
    write_run_facts(options.out, recipe, machine);
  }
  const TrainOutcome outcome = run.train();
  world->barrier();  // rank 0 keeps the ranks' meeting place: it leaves with the last
  return outcome;
}

}  // namespace tarsier
