#include "tarsier/data/stages/row_stage.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/log.h"
#include "tarsier/data/stages/failures.h"
#include "tarsier/data/stages/job_folder.h"
#include "tarsier/data/stages/parallel.h"

namespace tarsier {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRowsPerWorker = 16;  // in one chunk
constexpr auto kFlushEvery = std::chrono::seconds(1);
constexpr auto kReportEvery = std::chrono::seconds(30);

/// A row on its way through a chunk.
struct Work {
  RowText text;
  std::optional<Row> row;
  std::string facts;
  std::optional<ErrorNote> failure;
  bool logged = false;  // an earlier run came this far
  bool known = false;   // and its facts are here
  bool done = false;
};

// Stands in the log for a row that failed: the next run tries it again, for its media may be
// mended.
constexpr char kFailedLine[] = R"({"failed":true})";

void take_from_log(Work& work, const std::string& line) {
  work.logged = true;
  work.known = line != kFailedLine;
  if (work.known) work.facts = line;
}

void examine(const StageJob& job, const RowStage& stage, Work& work) {
  Outcome<Row> parsed = parse_row(work.text, job.from);
  if (const auto* note = std::get_if<ErrorNote>(&parsed)) {
    work.failure = *note;
  } else {
    work.row = std::move(std::get<Row>(parsed));
    if (!work.known && stage.examine) {
      try {
        work.facts = stage.examine(*work.row);
      } catch (const InputError& error) {
        work.failure = error.note;
      }
    }
  }
  work.done = true;
}

/// Rows and dropped rows on their way to the disk.
class Output {
 public:
  explicit Output(const StageJob& job)
      : job_(job), rows_(job.out / "rows.jsonl"), dropped_(job.out / "dropped.jsonl") {}

  void keep(const Row& row, std::vector<Record> records, StageReport& report) {
    std::string lines;  // all of a row's output or nothing of it
    for (Record& record : records) {
      move_media_paths(record, row.folder, job_.out.string());
      lines += write_record(record, job_.to.value_or(row.format)) + "\n";
    }
    rows_.write(lines);
    report.written += static_cast<std::int64_t>(records.size());
    ++report.kept;
  }

  void drop(const Work& work, const std::string& reason, const std::string& detail) {
    const RowText& text = work.text;
    Json line{{"where", text.where}, {"reason", reason}, {"detail", detail}};
    Json row = Json::parse(text.text, nullptr, false);
    if (row.is_discarded()) {
      line["text"] = text.text;
    } else {
      line["row"] = std::move(row);
    }
    dropped_.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    if (work.row) remove_unpacked(*work.row);
  }

  void commit() {
    rows_.commit();
    dropped_.commit();
  }

 private:
  // What was unpacked from a tar for a row that is not kept.
  void remove_unpacked(const Row& row) {
    if (!row.folder.starts_with((job_.out / "media").string())) return;
    for (const Media& media : row.record.media) {
      for (const std::string& file : media.files) fs::remove(media_path(row.folder, file));
      if (!media.audio_file.empty()) fs::remove(media_path(row.folder, media.audio_file));
    }
  }

  const StageJob& job_;
  AtomicFile rows_, dropped_;
};

class Run {
 public:
  Run(const StageJob& job, const RowStage& stage)
      : job_(job),
        stage_(stage),
        log_(job.out / "progress.jsonl"),
        output_(job),
        failures_(job.max_failures) {}

  StageReport run(const std::stop_token& stop) {
    RowInput input(job_.inputs, job_.out / "media");
    const std::size_t chunk_rows = kRowsPerWorker * static_cast<std::size_t>(job_.workers);
    for (bool more = true; more;) {
      std::vector<Work> chunk;
      while (chunk.size() < chunk_rows) {
        auto text = input.next();
        more = text.has_value();
        if (!more) break;
        chunk.push_back({});
        chunk.back().text = std::move(*text);
        const std::size_t number = static_cast<std::size_t>(report_.rows) + chunk.size() - 1;
        if (number < log_.earlier().size()) take_from_log(chunk.back(), log_.earlier()[number]);
      }
      in_parallel(chunk.size(), job_.workers, stop,
                  [&](std::size_t i) { examine(job_, stage_, chunk[i]); });
      for (Work& work : chunk) {
        if (!work.done) {
          log_.flush();
          report_.stopped = true;
          return report_;
        }
        settle(work);
      }
      tick();
    }
    for (const ErrorNote& note : input.problems()) fail(note);
    output_.commit();
    if (stage_.summary) report_.summary = stage_.summary();
    write_file_atomically(job_.out / "report.json", report_json(job_.name, report_));
    log_.remove();
    return report_;
  }

 private:
  void settle(Work& work) {
    ++report_.rows;
    if (!work.logged)
      log_.append(work.failure ? kFailedLine : work.facts.empty() ? "null" : work.facts);
    if (!work.failure) {
      try {
        Decision decision = stage_.decide(*work.row, work.facts);
        if (auto* records = std::get_if<std::vector<Record>>(&decision)) {
          output_.keep(*work.row, std::move(*records), report_);
          if (stage_.kept) stage_.kept();
        } else {
          const Dropped& why = std::get<Dropped>(decision);
          ++report_.dropped[why.reason];
          output_.drop(work, why.reason, why.detail);
        }
        return;
      } catch (const InputError& error) {
        work.failure = error.note;
      }
    }
    output_.drop(work, "failed", work.failure->text());
    fail(*work.failure);
  }

  void fail(const ErrorNote& note) {
    try {
      failures_.add(note);
    } catch (const InputError&) {
      log_.flush();
      throw;
    }
    report_.failed = failures_.count();
    report_.failures = failures_.first();
  }

  void tick() {
    const auto time = Clock::now();
    if (time - flushed_ >= kFlushEvery) {
      log_.flush();
      flushed_ = time;
    }
    if (time - reported_ >= kReportEvery) {
      log_info(fmt::format("{} rows done, {} kept", report_.rows, report_.kept));
      reported_ = time;
    }
  }

  const StageJob& job_;
  const RowStage& stage_;
  ProgressLog log_;
  Output output_;
  Failures failures_;
  StageReport report_;
  Clock::time_point flushed_ = Clock::now(), reported_ = Clock::now();
};

std::optional<StageReport> finished_report(const fs::path& folder) {
  const fs::path file = folder / "report.json";
  if (!fs::exists(file)) return std::nullopt;
  const JsonView json = read_json(file, JsonOwner::input);
  StageReport report;
  report.rows = json.at("rows").as_int();
  report.kept = json.at("kept").as_int();
  report.written = json.at("written").as_int();
  report.failed = json.at("failed").as_int();
  for (const std::string& reason : json.at("dropped").keys())
    report.dropped[reason] = json.at("dropped").at(reason).as_int();
  for (std::int64_t i = 0; i < json.at("failures").size(); ++i)
    report.failures.push_back(json.at("failures").at(i).as_string());
  if (const auto summary = json.find("summary")) report.summary = summary->raw().dump();
  return report;
}

}  // namespace

StageReport run_row_stage(const StageJob& job, const RowStage& stage, std::stop_token stop) {
  Json settings = Json::parse(job.settings);
  settings["from"] = job.from ? std::string(name_of(*job.from)) : "auto";
  settings["to"] = job.to ? std::string(name_of(*job.to)) : "same";
  claim_job_folder(job.out, job_settings(job.name, job.inputs, settings.dump()));
  if (const auto report = finished_report(job.out)) return *report;
  return Run(job, stage).run(stop);
}

std::string report_json(const std::string& stage, const StageReport& report) {
  Json json{{"stage", stage},
            {"rows", report.rows},
            {"kept", report.kept},
            {"written", report.written},
            {"dropped", report.dropped},
            {"failed", report.failed},
            {"failures", report.failures}};
  // Sorted, so that a report that was read again reads the same.
  if (!report.summary.empty()) json["summary"] = nlohmann::json::parse(report.summary);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tarsier
