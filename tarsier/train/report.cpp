#include "tarsier/train/report.h"

#include <fmt/format.h>
#include <report_page.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxPoints = 1000, kMaxSampledSteps = 60;

std::vector<Json> read_rows(const fs::path& file) {
  std::vector<Json> rows;
  std::ifstream stream(file);
  std::int64_t number = 0, broken = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    Json row = Json::parse(line, nullptr, false);
    if (row.is_object() && broken == 0) {
      rows.push_back(std::move(row));
    } else if (broken == 0) {
      broken = number;  // of a killed run the last line may be torn
    } else {
      throw InputError({fmt::format("{} line {}", file.string(), broken), "is not a JSON object",
                        "remove the line"});
    }
  }
  return rows;
}

Json read_object(const fs::path& file) {
  std::ifstream stream(file);
  const Json json = stream ? Json::parse(stream, nullptr, false) : Json();
  return json.is_object() ? json : Json();
}

// Rows [begin, end) as one: the last row's step and texts, means of the other numbers; steps that
// were skipped and bad samples are added up.
Json mean_row(const std::vector<Json>& rows, std::size_t begin, std::size_t end) {
  Json mean = rows[end - 1];
  for (auto& [key, value] : mean.items()) {
    if (!value.is_number() || key == "step") continue;
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (!rows[i].contains(key) || !rows[i][key].is_number()) continue;
      sum += rows[i][key].get<double>();
      ++count;
    }
    value = key == "skipped" || key == "bad_samples" ? sum : sum / static_cast<double>(count);
  }
  return mean;
}

// Means of neighbouring rows of one stage, so many that at most kMaxPoints (and one a stage) stay.
Json thinned(const std::vector<Json>& rows, std::size_t rows_a_point) {
  Json points = Json::array();
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && end - begin < rows_a_point &&
           rows[end].value("stage", "") == rows[begin].value("stage", ""))
      ++end;
    points.push_back(mean_row(rows, begin, end));
    begin = end;
  }
  return points;
}

// Spread evenly, the first and the last among them.
std::set<std::int64_t> chosen_steps(const std::set<std::int64_t>& steps) {
  if (steps.size() <= kMaxSampledSteps) return steps;
  const std::vector<std::int64_t> all(steps.begin(), steps.end());
  std::set<std::int64_t> chosen;
  for (std::size_t i = 0; i < kMaxSampledSteps; ++i)
    chosen.insert(all[i * (all.size() - 1) / (kMaxSampledSteps - 1)]);
  return chosen;
}

void add_samples(Json& data, const std::vector<Json>& rows) {
  std::set<std::int64_t> steps;
  for (const Json& row : rows) steps.insert(row.value("step", std::int64_t{0}));
  const std::set<std::int64_t> shown = chosen_steps(steps);
  data["sampled_steps"] = steps.size();
  data["sampled_steps_shown"] = shown.size();
  data["samples"] = Json::array();
  for (const Json& row : rows) {
    if (shown.contains(row.value("step", std::int64_t{0}))) data["samples"].push_back(row);
  }
}

// JSON that cannot end the script element it stands in.
std::string embedded(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

void write_report(const fs::path& run) {
  const fs::path metrics = run / "metrics.jsonl";
  if (!fs::is_regular_file(metrics))
    throw InputError({metrics.string(), "is not there", "pass the --out folder of a training run"});
  const std::vector<Json> rows = read_rows(metrics);
  const std::size_t rows_a_point =
      std::max<std::size_t>(1, (rows.size() + kMaxPoints - 1) / kMaxPoints);
  Json data = {{"run", fs::absolute(run).lexically_normal().filename().string()},
               {"steps_a_point", rows_a_point},
               {"rows", thinned(rows, rows_a_point)},
               {"machine", read_object(run / "machine.json")},
               {"recipe", read_object(run / "recipe.json")}};
  add_samples(data, read_rows(run / "samples.jsonl"));
  constexpr std::string_view kPlace = "{{data}}";
  std::string page(kReportPage);
  page.replace(page.find(kPlace), kPlace.size(), embedded(data));
  write_file_atomically(run / "report.html", page);
}

}  // namespace tarsier
