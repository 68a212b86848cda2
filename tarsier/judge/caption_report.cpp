#include "tarsier/judge/caption_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/judge/caption_clean.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json rates_json(const CaptionRates& rates) {
  Json json{{"missed", rates.missed_rate()},
            {"incorrect", rates.incorrect_rate()},
            {"hallucination", rates.hallucinated_rate()},
            {"error", rates.error_rate()},
            {"counts",
             {{"events", rates.events},
              {"missed", rates.missed},
              {"incorrect", rates.incorrect},
              {"hallucination", rates.hallucinated}}}};
  if (rates.undefined) json["undefined"] = true;
  return json;
}

double hallucinated_or_wrong(const CaptionRates& rates) {
  return rates.per_event(rates.incorrect + rates.hallucinated);
}

}  // namespace

std::string caption_item_json(std::span<const CaptionItem> items, const CaptionResult& result,
                              std::size_t i) {
  const CaptionItem& item = items[i];
  Json json{{"id", item.id}, {"events", item.events}};
  if (item.caption) json["pred"] = *item.caption;
  const Outcome<CaptionErrors>& outcome = result.reported().outcomes[i];
  if (const auto* note = std::get_if<ErrorNote>(&outcome)) {
    json["status"] = item.caption ? "failed" : "no_prediction";
    json["error"] = note->text();
    return line_of(json);
  }
  const auto& errors = std::get<CaptionErrors>(outcome);
  const std::string cleaned = clean_caption(*item.caption);
  json["status"] = "ok";
  json["cleaned_bytes"] = item.caption->size() - cleaned.size();
  json["repeated_share"] = repeated_share(*item.caption);
  json["missed"] = errors.missed;
  json["incorrect"] = errors.incorrect;
  json["hallucination"] = errors.hallucinated;
  json["missed_events"] = errors.missed_events;
  json["incorrect_events"] = errors.incorrect_events;
  json["hallucination_events"] = errors.hallucinated_events;
  return line_of(json);
}

std::string caption_scores_json(std::span<const CaptionItem> items, const CaptionResult& result,
                                const CaptionSchedule& schedule, const ScoreOrigin& origin) {
  const CaptionTrial& reported = result.reported();
  Json failures = Json::array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto* note = std::get_if<ErrorNote>(&reported.outcomes[i]))
      failures.push_back({{"id", items[i].id}, {"error", note->text()}});
  }
  Json trials = Json::array();
  for (const CaptionTrial& trial : result.trials)
    trials.push_back({{"error", trial.rates.error_rate()},
                      {"scored", trial.rates.scored},
                      {"failed", trial.rates.failed}});
  const CaptionRates& rates = reported.rates;
  Json json{{"metric", "caption-error"},
            {"judge", origin.judge},
            {"prompt", origin.prompt.name},
            {"prompt_sha256", origin.prompt.sha256},
            {"seed", schedule.seed},
            {"version", origin.version},
            {"n_total", items.size()},
            {"n_valid", rates.scored},
            {"n_failed", rates.failed},
            {"n_without_prediction",
             static_cast<std::int64_t>(items.size()) - rates.scored - rates.failed},
            {"duplicates", origin.duplicates}};
  json.update(rates_json(rates));
  json["paper"] = {{"miss_percent", 100 * rates.missed_rate()},
                   {"hall_percent", 100 * hallucinated_or_wrong(rates)},
                   {"total_percent", 100 * rates.error_rate()}};
  json["reported_trial"] = result.median + 1;
  json["trials"] = std::move(trials);
  json["failures"] = std::move(failures);
  return line_of(json);
}

std::string caption_text(const CaptionResult& result, const ScoreOrigin& origin) {
  const CaptionRates& rates = result.reported().rates;
  const auto percent = [&](double rate) {
    return rates.undefined ? std::string("-") : fmt::format("{:.1f}", 100 * rate);
  };
  std::string text = fmt::format("Caption errors by {}, prompt {}, trial {} of {}\n", origin.judge,
                                 origin.prompt.text(), result.median + 1, result.trials.size());
  text += "Miss% | Hall% | Total% | Incorrect% | Hallucination% | Scored | Failed\n";
  text += fmt::format("{:>5} | {:>5} | {:>6} | {:>10} | {:>14} | {:>6} | {:>6}\n",
                      percent(rates.missed_rate()), percent(hallucinated_or_wrong(rates)),
                      percent(rates.error_rate()), percent(rates.incorrect_rate()),
                      percent(rates.hallucinated_rate()), rates.scored, rates.failed);
  return text;
}

}  // namespace tarsier
