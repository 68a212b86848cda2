#include "tarsier/train/train_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/base/log.h"

namespace tarsier {
namespace {

std::string duration_text(double seconds) {
  const auto minutes = static_cast<std::int64_t>(seconds / 60);
  if (minutes >= 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  return minutes > 0 ? fmt::format("{} min", minutes) : fmt::format("{:.0f} s", seconds);
}

StepMeans means_of(const StepReport& sum, std::int64_t steps, std::int64_t skipped, double peak) {
  const double good = static_cast<double>(std::max<std::int64_t>(1, steps - skipped));
  StepMeans means;
  means.losses = sum.losses;
  means.gradient_norm = sum.gradient_norm / good;
  means.losses.scale(1 / good);
  means.losses.pairs = sum.losses.pairs;
  if (sum.losses.pairs.pairs > 0) means.losses.pairs.scale(1 / sum.losses.pairs.pairs);
  if (sum.seconds > 0) {
    means.clips_per_second = static_cast<double>(sum.clips) / sum.seconds;
    means.tokens_per_second = static_cast<double>(sum.tokens) / sum.seconds;
    means.starved_share = sum.waited / sum.seconds;
    means.model_flops_per_second = sum.flops / sum.seconds;
    means.mfu = means.model_flops_per_second / peak;
  }
  if (sum.tokens > 0)
    means.visual_token_share =
        static_cast<double>(sum.media_tokens) / static_cast<double>(sum.tokens);
  means.skipped = skipped;
  means.bad_samples = sum.bad_samples;
  return means;
}

// What the loss of a progress line is made of.
std::string parts_text(const StepLosses& losses) {
  const PairReport& pairs = losses.pairs;
  if (pairs.pairs > 0)
    return fmt::format("margin {:.3f}, accuracy {:.3f}, chosen {:.2f}, rejected {:.2f}",
                       pairs.reward_chosen - pairs.reward_rejected, pairs.accuracy,
                       pairs.log_prob_chosen, pairs.log_prob_rejected);
  return fmt::format(
      "next token {:.4f}, accuracy {:.3f}, words {:.3f}, events {:.3f}, cells {:.3f}",
      losses.next_token, losses.accuracy, losses.visual_words, losses.event_probe,
      losses.event_cells);
}

// By the names of TRL's trainers, as far as they go.
std::vector<std::pair<const char*, double>> pair_values(const PairReport& pairs) {
  return {{"preference", pairs.loss},
          {"truth_nll", pairs.truth_nll},
          {"rewards/chosen", pairs.reward_chosen},
          {"rewards/rejected", pairs.reward_rejected},
          {"rewards/margins", pairs.reward_chosen - pairs.reward_rejected},
          {"rewards/accuracies", pairs.accuracy},
          {"logps/chosen", pairs.log_prob_chosen},
          {"logps/rejected", pairs.log_prob_rejected},
          {"tokens/chosen", pairs.tokens_chosen},
          {"tokens/rejected", pairs.tokens_rejected}};
}

std::string metrics_row(const StepReport& last, const StepMeans& means) {
  nlohmann::ordered_json row = {{"step", last.step},
                                {"stage", last.stage},
                                {"loss", means.losses.total},
                                {"next_token", means.losses.next_token},
                                {"token_accuracy", means.losses.accuracy},
                                {"visual_words", means.losses.visual_words},
                                {"event_probe", means.losses.event_probe},
                                {"event_cells", means.losses.event_cells},
                                {"rate", last.rate},
                                {"gradient_norm", means.gradient_norm},
                                {"clips_per_second", means.clips_per_second},
                                {"tokens_per_second", means.tokens_per_second},
                                {"visual_token_share", means.visual_token_share},
                                {"model_flops_per_second", means.model_flops_per_second},
                                {"mfu", means.mfu},
                                {"starved_share", means.starved_share},
                                {"skipped", means.skipped},
                                {"bad_samples", means.bad_samples}};
  if (means.losses.pairs.pairs > 0) {
    for (const auto& [name, value] : pair_values(means.losses.pairs)) row[name] = value;
  }
  for (const GroupReport& group : means.groups) row["rate/" + group.name] = group.rate;
  for (const GroupReport& group : means.groups)
    row["gradient_norm/" + group.name] = group.gradient_norm;
  return row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void add_scalars(EventFile& file, const StepReport& last, const StepMeans& means) {
  std::vector<std::string> tags;  // of the groups; they must outlive `values`
  for (const GroupReport& group : means.groups) {
    tags.push_back("train/learning_rate/" + group.name);
    tags.push_back("train/grad_norm/" + group.name);
  }
  // The first three as TRL's trainers call them.
  std::vector<TaggedScalar> values = {
      {"train/loss", means.losses.total},
      {"train/learning_rate", last.rate},
      {"train/grad_norm", means.gradient_norm},
      {"train/next_token", means.losses.next_token},
      {"train/token_accuracy", means.losses.accuracy},
      {"train/visual_words", means.losses.visual_words},
      {"train/event_probe", means.losses.event_probe},
      {"train/event_cells", means.losses.event_cells},
      {"train/clips_per_second", means.clips_per_second},
      {"train/tokens_per_second", means.tokens_per_second},
      {"train/visual_token_share", means.visual_token_share},
      {"train/model_flops_per_second", means.model_flops_per_second},
      {"train/mfu", means.mfu},
      {"train/starved_share", means.starved_share},
      {"train/skipped", static_cast<double>(means.skipped)},
      {"train/bad_samples", static_cast<double>(means.bad_samples)}};
  if (means.losses.pairs.pairs > 0) {
    for (const auto& [name, value] : pair_values(means.losses.pairs))
      values.push_back({name, value});
  }
  for (std::size_t i = 0; i < means.groups.size(); ++i) {
    values.push_back({tags[2 * i], means.groups[i].rate});
    values.push_back({tags[2 * i + 1], means.groups[i].gradient_norm});
  }
  file.add_scalars(last.step, values);
}

}  // namespace

TrainLog::TrainLog(const std::filesystem::path& run, std::int64_t every, std::int64_t resumed_step,
                   double peak)
    : rows_(run / "metrics.jsonl", resumed_step),
      tensorboard_(run, resumed_step),
      every_(every),
      peak_(peak),
      terminal_(::isatty(2) != 0) {}

void TrainLog::add(const StepReport& report) {
  sum_.seconds += report.seconds;
  sum_.waited += report.waited;
  sum_.clips += report.clips;
  sum_.tokens += report.tokens;
  sum_.media_tokens += report.media_tokens;
  sum_.bad_samples += report.bad_samples;
  sum_.flops += report.flops;
  add_groups(report);
  ++steps_;
  if (report.skipped) {
    ++skipped_;
  } else {
    sum_.losses.add(report.losses);
    sum_.gradient_norm += report.gradient_norm;
  }
  mean_step_seconds_ =
      mean_step_seconds_ == 0 ? report.seconds : 0.95 * mean_step_seconds_ + 0.05 * report.seconds;
  if (report.step % every_ == 0 || report.step == report.total_steps) write(report);
  show(report);
}

// A stage that begins within a line has groups of its own; the line then tells of those alone.
void TrainLog::add_groups(const StepReport& report) {
  const auto same = [](const GroupReport& a, const GroupReport& b) { return a.name == b.name; };
  if (!std::equal(sum_.groups.begin(), sum_.groups.end(), report.groups.begin(),
                  report.groups.end(), same)) {
    sum_.groups = report.groups;
    for (GroupReport& group : sum_.groups) group.gradient_norm = 0;
    group_steps_ = 0;
  }
  for (std::size_t i = 0; i < report.groups.size(); ++i) {
    sum_.groups[i].rate = report.groups[i].rate;
    if (!report.skipped) sum_.groups[i].gradient_norm += report.groups[i].gradient_norm;
  }
  if (!report.skipped) ++group_steps_;
}

void TrainLog::write(const StepReport& last) {
  means_ = means_of(sum_, steps_, skipped_, peak_);
  means_->groups = std::move(sum_.groups);
  for (GroupReport& group : means_->groups)
    group.gradient_norm /= static_cast<double>(std::max<std::int64_t>(1, group_steps_));
  rows_.add(metrics_row(last, *means_));
  add_scalars(tensorboard_, last, *means_);
  sum_ = {};
  steps_ = skipped_ = group_steps_ = 0;
}

void TrainLog::show(const StepReport& report) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = report.step == report.total_steps;
  if (!last && now - last_shown_ < std::chrono::seconds(terminal_ ? 1 : 30)) return;
  last_shown_ = now;
  const double left = mean_step_seconds_ * static_cast<double>(report.total_steps - report.step);
  // Before the first line, of the steps so far.
  const StepMeans means = means_ ? *means_ : means_of(sum_, steps_, skipped_, peak_);
  const StepLosses& losses = means.losses;
  const std::string line = fmt::format(
      "step {}/{} {}: loss {:.4f} ({}), rate {:.2e}, {:.1f} clips/s, {:.0f} % starved, {} left",
      report.step, report.total_steps, report.stage, losses.total, parts_text(losses), report.rate,
      means.clips_per_second, 100 * means.starved_share, duration_text(left));
  if (!terminal_ || log_level() < LogLevel::info) {
    log_info(line);
    return;
  }
  fmt::print(stderr, "\r\x1b[K{}{}", line, last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace tarsier
