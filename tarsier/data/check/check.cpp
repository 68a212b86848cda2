#include "tarsier/data/check/check.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/log.h"
#include "tarsier/data/check/intervals.h"
#include "tarsier/data/check/media_marks.h"
#include "tarsier/data/row_cost.h"
#include "tarsier/data/stages/parallel.h"
#include "tarsier/media/sampling.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;
constexpr auto kReportEvery = std::chrono::seconds(30);
constexpr double kTimeTolerance = 0.1;  // seconds an end may lie behind the video's

class RowCheck {
 public:
  RowCheck(const Row& row, const CheckSettings& settings) : row_(row), settings_(settings) {}

  std::vector<Problem> run() {
    check_roles();
    check_answers();
    check_shown();
    check_words();
    check_preference();
    check_length();
    for (std::size_t i = 0; i < row_.record.media.size(); ++i) check_media(i);
    return std::move(problems_);
  }

 private:
  void add(const std::string& kind, const std::string& field, std::string what, std::string hint) {
    problems_.push_back({kind,
                         {field.empty() ? row_.record.where : row_.record.where + ": " + field,
                          std::move(what), std::move(hint)}});
  }

  void check_roles() {
    const auto& turns = row_.record.turns;
    const std::size_t begin = !turns.empty() && turns[0].role == Role::system ? 1 : 0;
    for (std::size_t i = begin; i < turns.size(); ++i) {
      const Role expected = (i - begin) % 2 == 0 ? Role::user : Role::assistant;
      if (turns[i].role == expected) continue;
      add("roles", fmt::format("turns[{}]", i),
          fmt::format("is the {}'s, expected the {}'s", name_of(turns[i].role), name_of(expected)),
          "turns alternate, the user's first");
      return;
    }
    if (turns.size() == begin || turns.back().role != Role::assistant)
      add("roles", "turns", "do not end with an answer", "end with the assistant's turn");
  }

  void check_answers() {
    const auto& turns = row_.record.turns;
    for (std::size_t i = 0; i < turns.size(); ++i) {
      const bool is_truth = row_.record.preference && i + 1 == turns.size();
      if (turns[i].role != Role::assistant || is_truth) continue;
      bool is_gold = false;  // evaluation rows have their text in `reference`
      for (const TurnPart& part : turns[i].parts) is_gold = is_gold || part.reference;
      const std::string text = text_of(turns[i]);
      if (is_blank(text) && !is_gold)
        add("answer", fmt::format("turns[{}]", i), "has an empty answer",
            "remove the row or give it an answer");
      const MarkerReading markers = read_markers(text, settings_.frames);
      if (markers.problem)
        add("markers", fmt::format("turns[{}]", i), *markers.problem,
            "mend the marker, or say how many frames with --frames");
      if (markers.has_gap)
        add("marker_gap", fmt::format("turns[{}]", i), "leaves frames between its markers out", "");
    }
  }

  void check_shown() {
    std::vector<int> shown(row_.record.media.size(), 0);
    for (std::size_t i = 0; i < row_.record.turns.size(); ++i) {
      const Turn& turn = row_.record.turns[i];
      for (const TurnPart& part : turn.parts) {
        if (!part.media) continue;
        ++shown[*part.media];
        if (turn.role != Role::user)
          add("media_shown", fmt::format("turns[{}]", i),
              "shows media in a turn that is not the user's", "show it in a question");
      }
    }
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (shown[i] != 1)
        add("media_shown", fmt::format("media[{}]", i), fmt::format("is shown {} times", shown[i]),
            "give one mark for each video, image or audio of the row");
    }
  }

  void check_words() {
    const auto require = [&](const std::string& words, const std::string& field) {
      if (const auto mark = find_media_mark(words))
        add("media_mark", field, fmt::format("has {} in its words", *mark),
            "give the media a part of its own, or take the mark out");
    };
    for (std::size_t i = 0; i < row_.record.turns.size(); ++i)
      require(text_of(row_.record.turns[i]), fmt::format("turns[{}]", i));
    if (!row_.record.preference) return;
    require(row_.record.preference->chosen, "chosen");
    require(row_.record.preference->rejected, "rejected");
  }

  void check_length() {
    const double tokens = row_cost(row_.record);
    if (tokens > settings_.max_tokens)
      add("length", "",
          fmt::format("is about {:.0f} tokens long, at most {:.0f}", tokens, settings_.max_tokens),
          "cut the row, or show fewer frames");
  }

  void check_preference() {
    if (!row_.record.preference) return;
    const auto& [chosen, rejected] = *row_.record.preference;
    if (is_blank(chosen) || is_blank(rejected)) {
      add("preference", is_blank(chosen) ? "chosen" : "rejected", "is empty", "remove the row");
    } else if (chosen == rejected) {
      add("preference", "chosen", "is the same as rejected", "remove the row");
    }
  }

  void check_media(std::size_t index) {
    const Media& media = row_.record.media[index];
    const std::string field = fmt::format("media[{}]", index);
    if ((media.start && *media.start < 0) || (media.end && *media.end < 0) ||
        (media.start && media.end && *media.end <= *media.start)) {
      add("times", field,
          fmt::format("is from {} to {} seconds", media.start.value_or(0), media.end.value_or(0)),
          "give 0 <= start < end");
      return;
    }
    if (media.files.empty()) add("media", field, "has no file", "give one");
    if (!settings_.look_for_media) return;
    std::vector<std::string> files = media.files;
    if (!media.audio_file.empty()) files.push_back(media.audio_file);
    for (const std::string& file : files) {
      if (!is_local_file(file)) continue;
      if (!fs::is_regular_file(media_path(row_.folder, file))) {
        add("media", field, fmt::format("no file {}", file),
            "check the path, which is relative to the file of rows");
        return;
      }
    }
    if (!settings_.open_media || media.kind == MediaKind::audio || media.is_list) return;
    if (is_local_file(media.files.front())) open_media(media, field);
  }

  void open_media(const Media& media, const std::string& field) {
    try {
      VideoReader reader(media_path(row_.folder, media.files.front()));
      const VideoInfo& info = reader.info();
      for (const std::int64_t frame : media.frame_indices) {
        if (frame < 0 || frame >= info.frames) {
          add("times", field + ".frame_indices",
              fmt::format("has frame {} of {}", frame, info.frames), "count frames from 0");
          return;
        }
      }
      if (!info.is_still_image && ((media.start && *media.start >= info.seconds) ||
                                   (media.end && *media.end > info.seconds + kTimeTolerance))) {
        add("times", field,
            fmt::format("is from {} to {} seconds of {:.3f}", media.start.value_or(0),
                        media.end.value_or(info.seconds), info.seconds),
            "give times within the video");
        return;
      }
      if (!settings_.decode) return;
      const FrameRange range =
          info.is_still_image
              ? FrameRange{0, 0}
              : frames_in_window(reader.frame_seconds(), info.seconds, media.start, media.end);
      reader.read(std::vector{range.first, range.last});
    } catch (const InputError& error) {
      add("media", field, error.what(), "mend or remove the row");
    }
  }

  const Row& row_;
  const CheckSettings& settings_;
  std::vector<Problem> problems_;
};

void count(const std::vector<Problem>& problems, std::size_t named, CheckReport& report) {
  ++report.rows;
  std::set<std::string> counted;
  bool bad = false;
  for (const Problem& problem : problems) {
    CheckReport::Count& kind = report.problems[problem.kind];
    if (counted.insert(problem.kind).second) ++kind.rows;
    if (kind.first.size() < named) kind.first.push_back(problem.note.text());
    bad = bad || problem.kind != "marker_gap";
  }
  if (bad) ++report.bad_rows;
}

}  // namespace

std::vector<Problem> problems_of(const Row& row, const CheckSettings& settings) {
  return RowCheck(row, settings).run();
}

CheckReport check_rows(const std::vector<fs::path>& inputs, std::optional<RowFormat> from,
                       const CheckSettings& settings, int workers, const fs::path& scratch,
                       const std::stop_token& stop) {
  CheckReport report;
  RowInput input(inputs, scratch);
  auto reported = Clock::now();
  for (bool more = true; more && !stop.stop_requested();) {
    std::vector<RowText> texts;
    while (texts.size() < 64 * static_cast<std::size_t>(workers)) {
      auto text = input.next();
      more = text.has_value();
      if (!more) break;
      texts.push_back(std::move(*text));
    }
    std::vector<std::vector<Problem>> found(texts.size());
    in_parallel(texts.size(), workers, stop, [&](std::size_t i) {
      const Outcome<Row> row = parse_row(texts[i], from);
      if (const auto* note = std::get_if<ErrorNote>(&row)) {
        found[i].push_back({"row", *note});
      } else {
        found[i] = problems_of(std::get<Row>(row), settings);
      }
    });
    if (stop.stop_requested()) break;
    for (const auto& problems : found) count(problems, settings.named, report);
    if (Clock::now() - reported >= kReportEvery) {
      log_info(fmt::format("{} rows checked, {} bad", report.rows, report.bad_rows));
      reported = Clock::now();
    }
  }
  report.stopped = stop.stop_requested();
  for (const ErrorNote& note : input.problems())
    count({Problem{"row", note}}, settings.named, report);
  return report;
}

std::string report_json(const CheckReport& report) {
  nlohmann::ordered_json json{{"rows", report.rows}, {"bad_rows", report.bad_rows}};
  json["problems"] = nlohmann::ordered_json::object();
  for (const auto& [kind, found] : report.problems)
    json["problems"][kind] = {{"rows", found.rows}, {"first", found.first}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tarsier
