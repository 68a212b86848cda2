#include "tarsier/judge/autodq_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json hits_json(const HitCount& count) { return Json::array({count.hits, count.total}); }

Json events_json(const std::vector<LabelledEvent>& events) {
  Json list = Json::array();
  for (const LabelledEvent& event : events)
    list.push_back({{"event", event.event}, {"relationship", std::string(name_of(event.label))}});
  return list;
}

Json row_json(const AutoDqRow& row) {
  Json json{{"f1", row.f1},
            {"recall", row.recall},
            {"precision", row.precision},
            {"success", row.success},
            {"failed", row.failed}};
  if (row.undefined) json["undefined"] = true;
  return json;
}

Json rows_json(const AutoDqTable& table) {
  Json list = Json::array();
  for (const AutoDqRow& row : table.rows) {
    Json named{{"task", row.task}};
    named.update(row_json(row));
    list.push_back(std::move(named));
  }
  return list;
}

Json complexity_json(const AutoDqTable& table) {
  Json all = Json::object();
  for (const ComplexityTable& of_kind : table.complexity) {
    Json columns = Json::object();
    for (const ComplexityColumn& column : of_kind.columns)
      columns[std::string(column.label)] = row_json(column.means);
    all[std::string(of_kind.name)] = std::move(columns);
  }
  return all;
}

// The other convention for generations that failed: told nothing, and that wrongly.
std::vector<AutoDqItem> with_zeros(std::span<const AutoDqItem> items) {
  std::vector<AutoDqItem> all(items.begin(), items.end());
  for (AutoDqItem& item : all) {
    if (item.sample.was_generated()) continue;
    AutoDqScore nothing;
    nothing.recall = nothing.precision = {0, 1};
    item.outcome = nothing;
  }
  return all;
}

std::string number(const AutoDqRow& row, double value) {
  return row.success == 0 ? "-" : fmt::format("{:.3f}", value);
}

}  // namespace

std::string autodq_item_json(const AutoDqItem& item) {
  Json json{{"dataset", item.sample.source},
            {"idx", item.sample.idx},
            {"gt", item.sample.reference},
            {"pred", item.sample.prediction}};
  if (const auto* note = std::get_if<ErrorNote>(&item.outcome)) {
    json["status"] = "failed";
    json["error"] = note->text();
    return line_of(json);
  }
  const auto& score = std::get<AutoDqScore>(item.outcome);
  json["status"] = "ok";
  json["recall"] = hits_json(score.recall);
  json["precision"] = hits_json(score.precision);
  json["events_gt"] = events_json(score.reference_events);
  json["hit_num_recall"] = score.recall.hits;
  json["events_pred"] = events_json(score.predicted_events);
  json["hit_num_precision"] = score.precision.hits;
  if (score.sentences > 0) {
    json["sentences"] = score.sentences;
    json["unparsed"] = score.unparsed;
  }
  return line_of(json);
}

std::string autodq_scores_json(std::span<const AutoDqItem> items, const ScoreOrigin& origin) {
  const AutoDqTable table = autodq_table(items);
  Json failures = Json::array();
  std::int64_t sentences = 0, unparsed = 0;
  for (const AutoDqItem& item : items) {
    if (const auto* note = std::get_if<ErrorNote>(&item.outcome)) {
      failures.push_back({{"key", item.sample.key()}, {"error", note->text()}});
    } else {
      sentences += std::get<AutoDqScore>(item.outcome).sentences;
      unparsed += std::get<AutoDqScore>(item.outcome).unparsed;
    }
  }
  Json json{{"metric", "autodq"},
            {"judge", origin.judge},
            {"prompt", origin.prompt.name},
            {"prompt_sha256", origin.prompt.sha256},
            {"seed", nullptr},
            {"version", origin.version},
            {"n_total", items.size()},
            {"n_valid", items.size() - failures.size()},
            {"n_failed", failures.size()},
            {"duplicates", origin.duplicates},
            {"rows", rows_json(table)},
            {"complexity", complexity_json(table)}};
  if (sentences > 0) {
    json["sentences"] = sentences;
    json["unparsed"] = unparsed;
  }
  if (std::any_of(items.begin(), items.end(),
                  [](const AutoDqItem& item) { return !item.sample.was_generated(); }))
    json["rows_failed_generations_as_0"] = rows_json(autodq_table(with_zeros(items)));
  json["failures"] = std::move(failures);
  return line_of(json);
}

std::string autodq_text(const AutoDqTable& table, const ScoreOrigin& origin) {
  std::size_t width = std::string_view("OVERALL").size();
  for (const AutoDqRow& row : table.rows) width = std::max(width, row.task.size());
  std::string text = fmt::format("AutoDQ by {}, prompt {}\n", origin.judge, origin.prompt.text());
  text += fmt::format("{:<{}} | F1 Score | Action Recall | Action Precision | Success | Failed\n",
                      "Task", width);
  for (const AutoDqRow& row : table.rows)
    text += fmt::format("{:<{}} | {:>8} | {:>13} | {:>16} | {:>7} | {:>6}\n", row.task, width,
                        number(row, row.f1), number(row, row.recall), number(row, row.precision),
                        row.success, row.failed);
  for (const ComplexityTable& of_kind : table.complexity) {
    text += fmt::format("\n{:<9}", of_kind.name);
    const auto line = [&](const char* name, const auto& value) {
      text += fmt::format("\n{:<9}", name);
      for (const ComplexityColumn& column : of_kind.columns)
        text += fmt::format(" | {:>5}", value(column.means));
    };
    for (const ComplexityColumn& column : of_kind.columns)
      text += fmt::format(" | {:>5}", column.label);
    line("Recall", [](const AutoDqRow& row) { return number(row, row.recall); });
    line("Precision", [](const AutoDqRow& row) { return number(row, row.precision); });
    line("F1", [](const AutoDqRow& row) { return number(row, row.f1); });
    line("Count", [](const AutoDqRow& row) { return fmt::format("{}", row.success); });
    text += "\n";
  }
  return text;
}

}  // namespace tarsier
