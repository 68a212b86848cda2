#include "tarsier/judge/caption_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "tarsier/judge/caption_clean.h"
#include "tarsier/judge/chat_judge.h"

namespace tarsier {
namespace {

bool failed(const Outcome<CaptionErrors>& outcome) {
  return std::holds_alternative<ErrorNote>(outcome);
}

class Trials {
 public:
  Trials(CaptionJudge& judge, std::span<const CaptionItem> items, const CaptionSchedule& schedule,
         const ForEach& for_each, std::stop_token stop)
      : judge_(judge),
        items_(items),
        schedule_(schedule),
        for_each_(for_each),
        stop_(std::move(stop)),
        seed_(schedule.seed) {
    for (const CaptionItem& item : items) {
      Outcome<std::string> cleaned = ErrorNote{item.id, "has no prediction", "add it to the file"};
      if (item.caption) {
        try {
          cleaned = clean_caption(*item.caption);
        } catch (const InputError& error) {
          cleaned = error.note;
        }
      }
      captions_.push_back(std::move(cleaned));
    }
  }

  CaptionTrial run() {
    CaptionTrial trial;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      trial.outcomes.emplace_back(ErrorNote{items_[i].id, "was not judged", ""});
      if (const auto* note = std::get_if<ErrorNote>(&captions_[i])) {
        trial.outcomes[i] = *note;
      } else {
        open.push_back(i);
      }
    }
    pass(open, CaptionForm::lists, trial);
    for (std::int64_t i = 0; i < schedule_.retries; ++i) pass(open, CaptionForm::lists, trial);
    for (std::int64_t i = 0; i < schedule_.fallbacks; ++i) pass(open, CaptionForm::counts, trial);
    trial.rates = caption_rates(items_, trial.outcomes);
    return trial;
  }

 private:
  // Asks about the captions that are open, and leaves open those without counts.
  void pass(std::vector<std::size_t>& open, CaptionForm form, CaptionTrial& trial) {
    if (open.empty() || stop_.stop_requested()) return;
    const CaptionQuestion question{form, seed_++};
    for_each_(open.size(), [&](std::size_t i) {
      const std::size_t item = open[i];
      try {
        trial.outcomes[item] = judge_.judge(
            items_[item].events, std::get<std::string>(captions_[item]), question, stop_);
      } catch (const InputError& error) {
        trial.outcomes[item] = error.note;
      }
    });
    std::erase_if(open, [&](std::size_t item) { return !failed(trial.outcomes[item]); });
  }

  CaptionJudge& judge_;
  std::span<const CaptionItem> items_;
  const CaptionSchedule& schedule_;
  const ForEach& for_each_;
  std::stop_token stop_;
  std::int64_t seed_;
  std::vector<Outcome<std::string>> captions_;  // cleaned
};

}  // namespace

CaptionRates caption_rates(std::span<const CaptionItem> items,
                           std::span<const Outcome<CaptionErrors>> outcomes) {
  CaptionRates rates;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].caption) continue;
    const auto* errors = std::get_if<CaptionErrors>(&outcomes[i]);
    if (errors == nullptr) {
      ++rates.failed;
      continue;
    }
    ++rates.scored;
    rates.events += errors->events;
    rates.missed += errors->missed;
    rates.incorrect += errors->incorrect;
    rates.hallucinated += errors->hallucinated;
  }
  rates.undefined = rates.events == 0;
  return rates;
}

std::size_t median_trial(std::span<const double> error_rates) {
  check(error_rates.size() % 2 == 1, "an odd number of trials has a median");
  std::vector<std::size_t> order(error_rates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return error_rates[a] < error_rates[b]; });
  return order[order.size() / 2];
}

CaptionResult score_captions(CaptionJudge& judge, std::span<const CaptionItem> items,
                             const CaptionSchedule& schedule, const ForEach& for_each,
                             const std::stop_token& stop) {
  if (schedule.trials < 1 || schedule.trials % 2 == 0)
    throw ConfigError({"--trials", fmt::format("is {}", schedule.trials),
                       "give an odd number: the trial with the median error is reported"});
  Trials trials(judge, items, schedule, for_each, stop);
  CaptionResult result;
  std::vector<double> error_rates;
  for (std::int64_t i = 0; i < schedule.trials; ++i) {
    result.trials.push_back(trials.run());
    error_rates.push_back(result.trials.back().rates.error_rate());
    if (stop.stop_requested()) return {};
  }
  result.median = median_trial(error_rates);
  return result;
}

Outcome<CaptionErrors> caption_errors(CaptionJudge& judge, const std::vector<std::string>& events,
                                      const std::string& caption, CaptionSchedule schedule,
                                      const std::stop_token& stop) {
  schedule.trials = 1;
  const CaptionItem item{"caption", events, caption};
  const ForEach here = [](std::size_t count, const std::function<void(std::size_t)>& work) {
    for (std::size_t i = 0; i < count; ++i) work(i);
  };
  CaptionResult result = score_captions(judge, std::span(&item, 1), schedule, here, stop);
  if (result.trials.empty()) return stopped_note();
  return std::move(result.trials[0].outcomes[0]);
}

}  // namespace tarsier
