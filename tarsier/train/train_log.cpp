#include "tarsier/train/train_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"

namespace tarsier {
namespace {

std::string duration_text(double seconds) {
  const auto minutes = static_cast<std::int64_t>(seconds / 60);
  if (minutes >= 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  return minutes > 0 ? fmt::format("{} min", minutes) : fmt::format("{:.0f} s", seconds);
}

void drop_lines_after(const std::filesystem::path& file, std::int64_t step) {
  std::ifstream stream(file);
  if (!stream) return;
  std::string kept;
  for (std::string line; std::getline(stream, line);) {
    const nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    // A torn last line of a killed run is not JSON and goes too.
    if (!row.is_discarded() && row.value("step", std::int64_t{0}) <= step) kept += line + "\n";
  }
  write_file_atomically(file, kept);
}

}  // namespace

TrainLog::TrainLog(const std::filesystem::path& file, std::int64_t every, std::int64_t resumed_step)
    : file_(file), every_(every), terminal_(::isatty(2) != 0) {
  drop_lines_after(file, resumed_step);
}

void TrainLog::add(const StepReport& report) {
  seconds_ += report.seconds;
  clips_ += report.clips;
  tokens_ += report.tokens;
  ++steps_;
  if (report.skipped) {
    ++skipped_;
  } else {
    sum_.add(report.losses);
    gradient_norm_ += report.gradient_norm;
  }
  mean_step_seconds_ =
      mean_step_seconds_ == 0 ? report.seconds : 0.95 * mean_step_seconds_ + 0.05 * report.seconds;
  if (report.step % every_ == 0 || report.step == report.total_steps) write_line(report);
  show(report);
}

void TrainLog::write_line(const StepReport& last) {
  const double good = static_cast<double>(std::max<std::int64_t>(1, steps_ - skipped_));
  clips_per_second_ = seconds_ > 0 ? static_cast<double>(clips_) / seconds_ : 0;
  const nlohmann::json line = {
      {"step", last.step},
      {"stage", last.stage},
      {"loss", sum_.total / good},
      {"next_token", sum_.next_token / good},
      {"token_accuracy", sum_.accuracy / good},
      {"visual_words", sum_.visual_words / good},
      {"event_probe", sum_.event_probe / good},
      {"event_cells", sum_.event_cells / good},
      {"rate", last.rate},
      {"gradient_norm", gradient_norm_ / good},
      {"clips_per_second", clips_per_second_},
      {"tokens_per_second", seconds_ > 0 ? static_cast<double>(tokens_) / seconds_ : 0.0},
      {"skipped", skipped_}};
  std::ofstream stream(file_, std::ios::app);
  stream << line.dump() << "\n";
  stream.flush();
  if (!stream)
    throw ResourceError(
        {file_.string(), "cannot be written", "free disk space and run the same command again"});
  smooth_ = sum_;
  for (double* value : {&smooth_.total, &smooth_.next_token, &smooth_.accuracy,
                        &smooth_.visual_words, &smooth_.event_probe, &smooth_.event_cells})
    *value /= good;
  sum_ = {};
  seconds_ = gradient_norm_ = 0;
  steps_ = clips_ = tokens_ = skipped_ = 0;
}

void TrainLog::show(const StepReport& report) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = report.step == report.total_steps;
  if (!last && now - last_shown_ < std::chrono::seconds(terminal_ ? 1 : 30)) return;
  last_shown_ = now;
  const double left = mean_step_seconds_ * static_cast<double>(report.total_steps - report.step);
  const std::string line = fmt::format(
      "step {}/{} {}: loss {:.4f} (next token {:.4f}, accuracy {:.3f}, words {:.3f}, events "
      "{:.3f}, cells {:.3f}), rate {:.2e}, {:.1f} clips/s, {} left",
      report.step, report.total_steps, report.stage, smooth_.total, smooth_.next_token,
      smooth_.accuracy, smooth_.visual_words, smooth_.event_probe, smooth_.event_cells, report.rate,
      clips_per_second_, duration_text(left));
  if (!terminal_ || log_level() < LogLevel::info) {
    log_info(line);
    return;
  }
  fmt::print(stderr, "\r\x1b[K{}{}", line, last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace tarsier
