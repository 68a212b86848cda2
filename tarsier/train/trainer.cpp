#include "tarsier/train/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"
#include "tarsier/train/export.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/optimizer/schedule.h"
#include "tarsier/train/prefetch.h"
#include "tarsier/train/train_log.h"
#include "tarsier/train/train_state.h"
#include "tarsier/train/workers.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSkippedInRow = 10;

at::ScalarType compute_dtype(const std::string& setting) {
  if (setting == "auto") return __builtin_cpu_supports("avx512bf16") ? at::kBFloat16 : at::kFloat;
  return parse_dtype(setting);
}

std::unique_ptr<SampleSource> make_source(const VideoLanguageModel& model, const Recipe& recipe,
                                          std::size_t stage) {
  const Stage& settings = recipe.stages[stage];
  return settings.synth ? make_synth_source(model, *settings.synth, recipe.seed, stage)
                        : make_jsonl_source(model, *settings.jsonl, recipe.seed, stage);
}

void count_bad(const StepData& data, const Recipe& recipe, TrainState& state) {
  for (const ErrorNote& note : data.bad) log_warning("skipped " + note.text());
  state.bad_samples += static_cast<std::int64_t>(data.bad.size());
  state.good_samples += static_cast<std::int64_t>(data.samples - data.bad.size());
  const double share = static_cast<double>(state.bad_samples) /
                       static_cast<double>(state.bad_samples + state.good_samples);
  if (state.bad_samples > 0 && share > recipe.max_bad) {
    throw InputError(
        {data.bad.empty() ? "training data" : data.bad.back().where,
         fmt::format("{} of {} samples cannot be used, more than max_bad {}", state.bad_samples,
                     state.bad_samples + state.good_samples, recipe.max_bad),
         "mend the rows named above, or raise --max-bad"});
  }
}

// One optimizer step. A step that is not finite leaves weights and moments as they were.
StepReport take_step(Learner& learner, Workers& workers, const StepData& data, const Stage& stage,
                     std::int64_t step_in_stage) {
  StepReport report;
  const auto begin = std::chrono::steady_clock::now();
  double step_weight = 0;
  for (const Batch& batch : data.micro_batches) step_weight += batch.weight_sum;
  const auto count = static_cast<std::int64_t>(data.micro_batches.size());
  const double share = 1.0 / static_cast<double>(count);
  // Gradients are summed in the order of micro-batches: how many workers there are changes nothing.
  for (std::int64_t first = 0; first < count; first += workers.count()) {
    std::vector<Lesson> lessons(static_cast<std::size_t>(std::min(workers.count(), count - first)));
    workers.run(static_cast<std::int64_t>(lessons.size()), [&](std::int64_t i) {
      lessons[static_cast<std::size_t>(i)] = learner.learn(
          data.micro_batches[static_cast<std::size_t>(first + i)], stage, step_weight, share);
    });
    for (Lesson& lesson : lessons) {
      report.losses.add(lesson.losses);
      learner.optimizer().add_gradients(lesson.gradients);
      lesson = {};
    }
  }
  for (const Batch& batch : data.micro_batches) {
    report.clips += batch.clips();
    report.tokens += batch.tokens.numel();
  }
  report.gradient_norm = learner.optimizer().gradient_norm();
  report.rate = learning_rate(step_in_stage, stage.steps, stage.warmup_steps, stage.peak_rate,
                              stage.final_share);
  report.skipped = data.micro_batches.empty() || !std::isfinite(report.losses.total) ||
                   !std::isfinite(report.gradient_norm);
  if (report.skipped) {
    learner.optimizer().clear_gradients();
  } else {
    const double scale =
        report.gradient_norm > stage.clip_norm ? stage.clip_norm / report.gradient_norm : 1.0;
    learner.optimizer().step(
        {report.rate, stage.weight_decay, stage.beta1, stage.beta2, stage.epsilon, stage.rule},
        scale, workers);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

// Activations come and go at the same sizes every step: giving their pages back to the system and
// faulting them in again would cost a tenth of it.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

std::string ids_of(const StepData& data) {
  std::string ids;
  for (const Batch& batch : data.micro_batches) {
    for (const std::string& id : batch.ids) ids += (ids.empty() ? "" : ", ") + id;
  }
  return ids;
}

}  // namespace

TrainOutcome train(const Recipe& recipe, const TrainOptions& options) {
  keep_freed_memory();
  fs::create_directories(options.out);
  LoadOptions load;
  load.dtype = compute_dtype(recipe.compute);
  load.random_weights = recipe.random_weights;
  load.trainable = true;
  const std::shared_ptr<VideoLanguageModel> model = load_model(recipe.model, load);
  // Every stage's data is opened before the first step: a wrong path or row is found now, not hours
  // later.
  std::vector<std::unique_ptr<SampleSource>> sources;
  std::vector<std::int64_t> word_tokens;
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    sources.push_back(make_source(*model, recipe, i));
    if (!sources.back()->word_tokens().empty()) word_tokens = sources.back()->word_tokens();
  }
  Learner learner(model, word_tokens);
  Workers workers(std::min<std::int64_t>(recipe.workers, at::get_num_threads()));
  TrainState state;
  state.recipe_hash = recipe.hash;
  if (fs::exists(options.out / "checkpoints"))
    remove_abandoned_commits(options.out / "checkpoints");
  if (options.resume) {
    if (auto saved = load_checkpoint(options.out, recipe.hash, learner.optimizer())) {
      state = *saved;
      log_info(fmt::format("resuming at step {} of {}", state.step, recipe.total_steps()));
    }
  }
  TrainLog log(options.out / "metrics.jsonl", recipe.log_every, state.step);
  std::int64_t stage_begin = 0;
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    const Stage& stage = recipe.stages[i];
    const std::int64_t stage_end = stage_begin + stage.steps;
    if (state.step >= stage_end) {
      stage_begin = stage_end;
      continue;
    }
    if (state.step == stage_begin) {
      state.samples = 0;
      learner.optimizer().reset_moments();
    }
    learner.begin_stage(stage);
    Prefetch prefetch(*sources[i], stage, state.samples);
    while (state.step < stage_end) {
      const StepData data = prefetch.next();
      count_bad(data, recipe, state);
      StepReport report = take_step(learner, workers, data, stage, state.step - stage_begin);
      ++state.step;
      state.samples += data.samples;
      state.seconds += report.seconds;
      state.skipped_in_row = report.skipped ? state.skipped_in_row + 1 : 0;
      if (report.skipped) {
        ++state.skipped;
        log_warning(fmt::format("step {}: loss or gradient is not finite; skipped ({})", state.step,
                                ids_of(data)));
      }
      report.step = state.step;
      report.total_steps = recipe.total_steps();
      report.stage = stage.name;
      log.add(report);
      if (state.skipped_in_row >= kMaxSkippedInRow) return TrainOutcome::diverged;
      const bool stop = options.stop.stop_requested();
      if (stop || state.step % recipe.save_every == 0 || state.step == stage_end) {
        save_checkpoint(options.out, state, learner.optimizer(), recipe.keep_checkpoints);
      }
      if (stop && state.step < recipe.total_steps()) return TrainOutcome::stopped;
    }
    stage_begin = stage_end;
    export_model(*model, recipe, options.out / "model");
  }
  return TrainOutcome::finished;
}

}  // namespace tarsier
