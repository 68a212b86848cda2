#include "tarsier/data/shard/shard.h"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/log.h"
#include "tarsier/base/mapped_file.h"
#include "tarsier/data/rows/row_input.h"
#include "tarsier/data/rows/tar_writer.h"
#include "tarsier/data/stages/failures.h"
#include "tarsier/data/stages/job_folder.h"
#include "tarsier/data/stages/parallel.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kTarBlock = 512;

/// One row with the bytes of its media, ready to be written.
struct Sample {
  RowText text;
  Outcome<std::map<std::string, std::string>> members;  // what follows the key and its dot -> bytes
  std::string row;  // the .json member, with %KEY% where the key goes
  bool done = false;
};

constexpr std::string_view kKeyPlace = "\x01key\x01";  // no file name of ours holds it

std::string extension_of(const std::string& file) {
  std::string extension = fs::path(file).extension().string();
  if (extension.size() < 2) return "bin";
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension.substr(1);
}

// Reads the media of a row and points the row at the members they will be.
void load(const ShardJob& job, Sample& sample) {
  Outcome<Row> parsed = parse_row(sample.text, job.from);
  if (const auto* note = std::get_if<ErrorNote>(&parsed)) {
    sample.members = *note;
    return;
  }
  Row& row = std::get<Row>(parsed);
  std::map<std::string, std::string> members;
  std::map<std::string, std::string> known;  // a file that a row names twice is packed once
  try {
    int number = 0;
    const auto pack = [&](std::string& file) {
      if (!is_local_file(file)) return;
      const fs::path path = media_path(row.folder, file);
      std::string& name = known[path.string()];
      if (name.empty()) {
        name = extension_of(file);
        if (name == "json" || members.contains(name)) name = fmt::format("{}.{}", ++number, name);
        if (!fs::is_regular_file(path) || fs::file_size(path) > TarReader::kMaxMemberBytes)
          throw InputError({row.record.where, fmt::format("no file {} of at most 1 GiB", file),
                            "check the path, which is relative to the file of rows"});
        const MappedFile bytes(path);
        members[name] = std::string(std::string_view(
            reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()));
      }
      file = fmt::format("{}.{}", kKeyPlace, name);
    };
    for (Media& media : row.record.media) {
      for (std::string& file : media.files) pack(file);
      if (!media.audio_file.empty()) pack(media.audio_file);
    }
    sample.row = write_record(row.record, job.to.value_or(row.format));
    sample.members = std::move(members);
  } catch (const InputError& error) {
    sample.members = error.note;
  } catch (const ResourceError& error) {
    sample.members = ErrorNote{row.record.where, error.what(), "check the file's permissions"};
  }
}

// JSON writes the mark's control characters escaped.
std::string with_key(std::string row, const std::string& key) {
  const std::string mark = "\\u0001key\\u0001";
  for (std::size_t at = row.find(mark); at != std::string::npos; at = row.find(mark, at))
    row.replace(at, mark.size(), key);
  return row;
}

class Sharder {
 public:
  explicit Sharder(const ShardJob& job)
      : job_(job), log_(job.out / "progress.jsonl"), failures_(job.max_failures) {}

  ShardReport run(const std::stop_token& stop) {
    const std::int64_t behind_us = take_earlier();
    RowInput input(job_.inputs, job_.out / "media");
    for (std::int64_t i = 0; i < behind_us; ++i) input.next();
    for (bool more = true; more;) {
      std::vector<Sample> samples;
      while (samples.size() < 4 * static_cast<std::size_t>(job_.workers)) {
        auto text = input.next();
        more = text.has_value();
        if (!more) break;
        samples.push_back({});
        samples.back().text = std::move(*text);
      }
      in_parallel(samples.size(), job_.workers, stop, [&](std::size_t i) {
        load(job_, samples[i]);
        samples[i].done = true;
      });
      for (Sample& sample : samples) {
        if (!sample.done) {
          report_.stopped = true;
          return report_;
        }
        add(sample);
      }
    }
    close_shard();
    for (const ErrorNote& note : input.problems()) fail(note);
    Json index{{"shards", shards_}};
    index["rows"] = report_.rows;
    index["written"] = report_.written;
    index["failed"] = report_.failed;
    index["failures"] = report_.failures;
    write_file_atomically(job_.out / "index.json",
                          index.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    log_.remove();
    fs::remove_all(job_.out / "media");
    return report_;
  }

 private:
  // Shards of an earlier run, from the log: how many rows they and the failures between them took.
  std::int64_t take_earlier() {
    for (const std::string& line : log_.earlier()) {
      const Json json = Json::parse(line);
      shards_.push_back(json.at("shard"));
      report_.rows = json.at("rows");
      report_.written = json.at("written");
      report_.failed = json.at("failed");
      report_.failures = json.at("failures").get<std::vector<std::string>>();
      ++report_.shards;
    }
    failures_.restore(report_.failed, report_.failures);
    return report_.rows;
  }

  void add(Sample& sample) {
    const auto* members = std::get_if<std::map<std::string, std::string>>(&sample.members);
    if (members == nullptr) {
      ++report_.rows;
      fail(std::get<ErrorNote>(sample.members));
      return;
    }
    const std::string key = fmt::format("{:08}", report_.written);
    const std::string row = with_key(sample.row, key) + "\n";
    const auto padded = [](std::size_t bytes) {
      return kTarBlock + (static_cast<std::int64_t>(bytes) + kTarBlock - 1) / kTarBlock * kTarBlock;
    };
    std::int64_t bytes = padded(row.size());
    for (const auto& [name, content] : *members) bytes += padded(content.size());
    if (writer_ && writer_->bytes() + bytes > job_.shard_bytes) close_shard();
    if (!writer_) {
      name_ = fmt::format("{}-{:06}.tar", job_.name, report_.shards);
      writer_.emplace(job_.out / name_);
      samples_in_shard_ = 0;
    }
    std::map<std::string, std::string_view> sorted = {{"json", row}};
    for (const auto& [name, content] : *members) sorted[name] = content;
    for (const auto& [name, content] : sorted) writer_->add(key + "." + name, content);
    ++samples_in_shard_;
    ++report_.rows;
    ++report_.written;
  }

  void close_shard() {
    if (!writer_) return;
    const TarSummary summary = writer_->finish();
    writer_.reset();
    Json members = Json::object();
    for (const TarMember& member : summary.members)
      members[member.name] = {member.offset, member.bytes};
    shards_.push_back({{"shard", name_},
                       {"n_samples", samples_in_shard_},
                       {"bytes", summary.bytes},
                       {"sha256", summary.sha256},
                       {"members", std::move(members)}});
    ++report_.shards;
    log_.append(Json{{"rows", report_.rows},
                     {"written", report_.written},
                     {"failed", report_.failed},
                     {"failures", report_.failures},
                     {"shard", shards_.back()}}
                    .dump(-1, ' ', false, Json::error_handler_t::replace));
    log_.flush();
    log_info(fmt::format("{}: {} rows", name_, samples_in_shard_));
  }

  void fail(const ErrorNote& note) {
    failures_.add(note);
    report_.failed = failures_.count();
    report_.failures = failures_.first();
  }

  const ShardJob& job_;
  ProgressLog log_;
  Failures failures_;
  ShardReport report_;
  Json shards_ = Json::array();
  std::optional<TarWriter> writer_;
  std::string name_;
  std::int64_t samples_in_shard_ = 0;
};

std::optional<ShardReport> finished_report(const fs::path& folder) {
  const fs::path file = folder / "index.json";
  if (!fs::exists(file)) return std::nullopt;
  const JsonView json = read_json(file, JsonOwner::input, false, std::int64_t{1} << 34);
  ShardReport report;
  report.rows = json.at("rows").as_int();
  report.written = json.at("written").as_int();
  report.failed = json.at("failed").as_int();
  report.shards = json.at("shards").size();
  for (std::int64_t i = 0; i < json.at("failures").size(); ++i)
    report.failures.push_back(json.at("failures").at(i).as_string());
  return report;
}

}  // namespace

ShardReport run_shard(const ShardJob& job, const std::stop_token& stop) {
  const Json settings{{"name", job.name},
                      {"shard_bytes", job.shard_bytes},
                      {"from", job.from ? std::string(name_of(*job.from)) : "auto"},
                      {"to", job.to ? std::string(name_of(*job.to)) : "same"}};
  claim_job_folder(job.out, job_settings("shard", job.inputs, settings.dump()));
  if (const auto report = finished_report(job.out)) return *report;
  return Sharder(job).run(stop);
}

std::string report_json(const ShardReport& report) {
  return Json{{"stage", "shard"},        {"rows", report.rows},     {"written", report.written},
              {"shards", report.shards}, {"failed", report.failed}, {"failures", report.failures}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace tarsier
