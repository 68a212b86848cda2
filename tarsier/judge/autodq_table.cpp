#include "tarsier/judge/autodq_table.h"

#include <map>
#include <optional>

namespace tarsier {
namespace {

struct Kind {
  std::string_view name;
  std::optional<std::int64_t> CaptionSample::*number;
  std::array<std::string_view, 4> labels;
  std::array<std::int64_t, 3> most;  // of the first three columns
};

constexpr std::array<Kind, 3> kKinds{
    {{"subjects", &CaptionSample::n_subjects, {"<=1", "2", "3", ">=4"}, {1, 2, 3}},
     {"shots", &CaptionSample::n_shots, {"<=1", "2", "3", ">=4"}, {1, 2, 3}},
     {"events", &CaptionSample::n_events, {"<=3", "4-5", "6-7", ">=8"}, {3, 5, 7}}}};

std::size_t column_of(const Kind& kind, std::int64_t number) {
  std::size_t column = 0;
  while (column < kind.most.size() && number > kind.most[column]) ++column;
  return column;
}

void set_f1(AutoDqRow& row) {
  const double sum = row.recall + row.precision;
  row.undefined = row.success == 0 || sum == 0;
  row.f1 = sum == 0 ? 0 : 2 * row.recall * row.precision / sum;
}

class Means {
 public:
  void add(const AutoDqItem& item) {
    const auto* score = std::get_if<AutoDqScore>(&item.outcome);
    if (score == nullptr) {
      ++failed_;
      return;
    }
    ++success_;
    recall_ += score->recall.share();
    precision_ += score->precision.share();
  }

  AutoDqRow row(std::string task) const {
    AutoDqRow row;
    row.task = std::move(task);
    row.success = success_;
    row.failed = failed_;
    if (success_ > 0) {
      row.recall = recall_ / static_cast<double>(success_);
      row.precision = precision_ / static_cast<double>(success_);
    }
    set_f1(row);
    return row;
  }

 private:
  double recall_ = 0, precision_ = 0;
  std::int64_t success_ = 0, failed_ = 0;
};

AutoDqRow overall(const std::vector<AutoDqRow>& sources) {
  AutoDqRow all;
  all.task = "OVERALL";
  std::int64_t scored = 0;
  for (const AutoDqRow& source : sources) {
    all.success += source.success;
    all.failed += source.failed;
    if (source.success == 0) continue;
    ++scored;
    all.recall += source.recall;
    all.precision += source.precision;
  }
  if (scored > 0) {
    all.recall /= static_cast<double>(scored);
    all.precision /= static_cast<double>(scored);
  }
  set_f1(all);
  return all;
}

std::optional<ComplexityTable> complexity_table(const Kind& kind,
                                                std::span<const AutoDqItem> items) {
  std::array<Means, 4> columns;
  bool any = false;
  for (const AutoDqItem& item : items) {
    const std::optional<std::int64_t> number = item.sample.*kind.number;
    if (!number) continue;
    any = true;
    columns[column_of(kind, *number)].add(item);
  }
  if (!any) return std::nullopt;
  ComplexityTable table{.name = kind.name, .columns = {}};
  for (std::size_t i = 0; i < columns.size(); ++i)
    table.columns[i] = {kind.labels[i], columns[i].row("")};
  return table;
}

}  // namespace

AutoDqTable autodq_table(std::span<const AutoDqItem> items) {
  std::map<std::string, Means> sources;
  for (const AutoDqItem& item : items) sources[item.sample.source].add(item);
  AutoDqTable table;
  for (const auto& [source, means] : sources) table.rows.push_back(means.row(source));
  table.rows.push_back(overall(table.rows));
  for (const Kind& kind : kKinds) {
    if (auto of_kind = complexity_table(kind, items)) table.complexity.push_back(*of_kind);
  }
  return table;
}

std::size_t complexity_column(std::string_view name, std::int64_t number) {
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return column_of(kind, number);
  }
  throw_broken_promise("complexity is of subjects, shots or events");
}

}  // namespace tarsier
