#include "tarsier/data/mix/mix.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/log.h"
#include "tarsier/data/mix/mix_order.h"
#include "tarsier/data/row_cost.h"
#include "tarsier/data/rows/row_input.h"
#include "tarsier/data/stages/failures.h"
#include "tarsier/data/stages/job_folder.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kBatchesInWindow = 64;  // that balancing reorders

/// Where each row of a file lies, so that any can be read on its own.
class IndexedRows {
 public:
  explicit IndexedRows(const fs::path& file) : stream_(file, std::ios::binary) {
    RowFile rows(file);
    while (const auto row = rows.next()) {
      places_.push_back({row->offset, row->line, static_cast<std::int64_t>(row->text.size())});
      folder_ = row->folder;
    }
    name_ = file.filename().string();
  }

  std::int64_t size() const { return static_cast<std::int64_t>(places_.size()); }

  RowText read(std::int64_t row) {
    const Place& place = places_[static_cast<std::size_t>(row)];
    RowText text{std::string(static_cast<std::size_t>(place.bytes), '\0'),
                 fmt::format("{} line {}", name_, place.line), folder_, place.line, place.offset};
    stream_.seekg(place.offset);
    if (!stream_.read(text.text.data(), place.bytes))
      throw ResourceError({name_, "cannot be read", "check the disk"});
    return text;
  }

 private:
  struct Place {
    std::int64_t offset, line, bytes;
  };
  std::ifstream stream_;
  std::string name_, folder_;
  std::vector<Place> places_;
};

std::string settings_of(const MixJob& job) {
  Json weights = Json::array();
  for (const auto& source : job.sources)
    weights.push_back(source.weight ? Json(*source.weight) : Json("rows"));
  return Json{{"weights", std::move(weights)},
              {"seed", job.seed},
              {"rows", job.rows},
              {"skip", job.skip},
              {"batch", job.batch},
              {"from", job.from ? std::string(name_of(*job.from)) : "auto"},
              {"to", job.to ? std::string(name_of(*job.to)) : "same"}}
      .dump();
}

/// A row ready to be written.
struct Ready {
  std::string line;
  double cost = 0;
};

class Mixer {
 public:
  explicit Mixer(const MixJob& job)
      : job_(job), rows_file_(job.out / "rows.jsonl"), failures_(job.max_failures) {
    std::vector<MixSource> shares;
    for (const auto& source : job.sources) {
      files_.emplace_back(source.file);
      const std::int64_t rows = files_.back().size();
      shares.push_back({rows, source.weight.value_or(static_cast<double>(rows))});
      report_.sources.push_back({source.file.string(), rows, 0});
      total_ += rows;
    }
    order_.emplace(std::move(shares), job.seed);
  }

  MixReport run(const std::stop_token& stop) {
    order_->skip(job_.skip);
    const std::int64_t count = job_.rows > 0 ? job_.rows : total_;
    const std::size_t window =
        job_.batch > 0 ? static_cast<std::size_t>(job_.batch) * kBatchesInWindow : 1024;
    std::vector<Ready> ready;
    for (std::int64_t i = 0; i < count; ++i) {
      if (stop.stop_requested()) {
        report_.stopped = true;
        return report_;
      }
      read_next(ready);
      if (ready.size() == window) write(ready);
      if ((i + 1) % 1'000'000 == 0) log_info(fmt::format("{} of {} rows", i + 1, count));
    }
    write(ready);
    report_.failed = failures_.count();
    report_.failures = failures_.first();
    rows_file_.commit();
    write_file_atomically(job_.out / "report.json", report_json(report_));
    return report_;
  }

 private:
  void read_next(std::vector<Ready>& ready) {
    const std::int64_t position = order_->position();
    const MixPick pick = order_->next();
    ++report_.sources[pick.source].drawn;
    const RowText text = files_[pick.source].read(pick.row);
    Outcome<Row> parsed = parse_row(text, job_.from);
    if (const auto* note = std::get_if<ErrorNote>(&parsed)) return failures_.add(*note);
    Row& row = std::get<Row>(parsed);
    try {
      move_media_paths(row.record, row.folder, job_.out.string());
      row.record.extra["mix"] = Json{
          {"source", job_.sources[pick.source].file.filename().string()},
          {"epoch", pick.epoch},
          {"position", position},
          {"row", text.where}}.dump();
      ready.push_back({write_record(row.record, job_.to.value_or(row.format)) + "\n",
                       job_.batch > 0 ? row_cost(row.record) : 0});
    } catch (const InputError& error) {
      failures_.add(error.note);
    }
  }

  void write(std::vector<Ready>& ready) {
    std::string text;
    if (job_.batch > 0) {
      std::vector<double> costs;
      for (const Ready& row : ready) costs.push_back(row.cost);
      for (const std::size_t i : balance_batches(costs, static_cast<std::size_t>(job_.batch)))
        text += ready[i].line;
    } else {
      for (const Ready& row : ready) text += row.line;
    }
    rows_file_.write(text);
    report_.written += static_cast<std::int64_t>(ready.size());
    ready.clear();
  }

  const MixJob& job_;
  AtomicFile rows_file_;
  Failures failures_;
  std::vector<IndexedRows> files_;
  std::optional<MixOrder> order_;
  std::int64_t total_ = 0;
  MixReport report_;
};

std::optional<MixReport> finished_report(const fs::path& folder) {
  const fs::path file = folder / "report.json";
  if (!fs::exists(file)) return std::nullopt;
  const JsonView json = read_json(file, JsonOwner::input);
  MixReport report;
  report.written = json.at("written").as_int();
  report.failed = json.at("failed").as_int();
  for (std::int64_t i = 0; i < json.at("failures").size(); ++i)
    report.failures.push_back(json.at("failures").at(i).as_string());
  for (std::int64_t i = 0; i < json.at("sources").size(); ++i) {
    const JsonView source = json.at("sources").at(i);
    report.sources.push_back(
        {source.at("file").as_string(), source.at("rows").as_int(), source.at("drawn").as_int()});
  }
  return report;
}

}  // namespace

MixReport run_mix(const MixJob& job, const std::stop_token& stop) {
  std::vector<fs::path> inputs;
  for (const auto& source : job.sources) inputs.push_back(source.file);
  claim_job_folder(job.out, job_settings("mix", inputs, settings_of(job)));
  if (const auto report = finished_report(job.out)) return *report;
  return Mixer(job).run(stop);
}

std::string report_json(const MixReport& report) {
  Json json{{"stage", "mix"}, {"written", report.written}, {"failed", report.failed}};
  json["failures"] = report.failures;
  json["sources"] = Json::array();
  for (const auto& source : report.sources) {
    json["sources"].push_back(
        {{"file", source.file},
         {"rows", source.rows},
         {"drawn", source.drawn},
         {"epochs", static_cast<double>(source.drawn) / static_cast<double>(source.rows)}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tarsier
