#include "tarsier/train/train_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/log.h"

namespace tarsier {
namespace {

std::string duration_text(double seconds) {
  const auto minutes = static_cast<std::int64_t>(seconds / 60);
  if (minutes >= 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  return minutes > 0 ? fmt::format("{} min", minutes) : fmt::format("{:.0f} s", seconds);
}

StepMeans means_of(const StepReport& sum, std::int64_t steps, std::int64_t skipped) {
  const double good = static_cast<double>(std::max<std::int64_t>(1, steps - skipped));
  StepMeans means{sum.losses, sum.gradient_norm / good};
  for (double* value :
       {&means.losses.total, &means.losses.next_token, &means.losses.accuracy,
        &means.losses.visual_words, &means.losses.event_probe, &means.losses.event_cells})
    *value /= good;
  if (sum.seconds > 0) {
    means.clips_per_second = static_cast<double>(sum.clips) / sum.seconds;
    means.tokens_per_second = static_cast<double>(sum.tokens) / sum.seconds;
    means.starved_share = sum.waited / sum.seconds;
  }
  means.skipped = skipped;
  return means;
}

std::string metrics_row(const StepReport& last, const StepMeans& means) {
  const nlohmann::json row = {{"step", last.step},
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
                              {"starved_share", means.starved_share},
                              {"skipped", means.skipped}};
  return row.dump();
}

void add_scalars(EventFile& file, const StepReport& last, const StepMeans& means) {
  // The first three as TRL's trainers call them.
  const TaggedScalar values[] = {{"train/loss", means.losses.total},
                                 {"train/learning_rate", last.rate},
                                 {"train/grad_norm", means.gradient_norm},
                                 {"train/next_token", means.losses.next_token},
                                 {"train/token_accuracy", means.losses.accuracy},
                                 {"train/visual_words", means.losses.visual_words},
                                 {"train/event_probe", means.losses.event_probe},
                                 {"train/event_cells", means.losses.event_cells},
                                 {"train/clips_per_second", means.clips_per_second},
                                 {"train/tokens_per_second", means.tokens_per_second},
                                 {"train/starved_share", means.starved_share},
                                 {"train/skipped", static_cast<double>(means.skipped)}};
  file.add_scalars(last.step, values);
}

}  // namespace

TrainLog::TrainLog(const std::filesystem::path& run, std::int64_t every, std::int64_t resumed_step)
    : rows_(run / "metrics.jsonl", resumed_step),
      tensorboard_(run, resumed_step),
      every_(every),
      terminal_(::isatty(2) != 0) {}

void TrainLog::add(const StepReport& report) {
  sum_.seconds += report.seconds;
  sum_.waited += report.waited;
  sum_.clips += report.clips;
  sum_.tokens += report.tokens;
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

void TrainLog::write(const StepReport& last) {
  means_ = means_of(sum_, steps_, skipped_);
  rows_.add(metrics_row(last, means_));
  add_scalars(tensorboard_, last, means_);
  sum_ = {};
  steps_ = skipped_ = 0;
}

void TrainLog::show(const StepReport& report) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = report.step == report.total_steps;
  if (!last && now - last_shown_ < std::chrono::seconds(terminal_ ? 1 : 30)) return;
  last_shown_ = now;
  const double left = mean_step_seconds_ * static_cast<double>(report.total_steps - report.step);
  const StepLosses& losses = means_.losses;
  const std::string line = fmt::format(
      "step {}/{} {}: loss {:.4f} (next token {:.4f}, accuracy {:.3f}, words {:.3f}, events "
      "{:.3f}, cells {:.3f}), rate {:.2e}, {:.1f} clips/s, {:.0f} % starved, {} left",
      report.step, report.total_steps, report.stage, losses.total, losses.next_token,
      losses.accuracy, losses.visual_words, losses.event_probe, losses.event_cells, report.rate,
      means_.clips_per_second, 100 * means_.starved_share, duration_text(left));
  if (!terminal_ || log_level() < LogLevel::info) {
    log_info(line);
    return;
  }
  fmt::print(stderr, "\r\x1b[K{}{}", line, last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace tarsier
