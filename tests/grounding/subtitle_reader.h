#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tarsier::testing {

/// A cue as a player reads it.
struct ReadCue {
  std::int64_t start = 0, end = 0;  // milliseconds
  std::string text;                 // escapes undone
  bool operator==(const ReadCue&) const = default;
};

/// Readers written from the formats' rules alone (WebVTT: W3C, section 4.1; SubRip: a number from
/// 1 on, times with a comma, text, an empty line). They throw on what a strict reader refuses.
class SubtitleReader {
 public:
  static std::vector<ReadCue> srt(const std::string& file) {
    std::vector<ReadCue> cues;
    for (const std::vector<std::string>& block : blocks(file)) {
      require(block.size() >= 3, "a number, times and text");
      require(block[0] == std::to_string(cues.size() + 1), "numbers from 1 on");
      cues.push_back(cue(block, 1, ','));
    }
    return cues;
  }

  static std::vector<ReadCue> vtt(const std::string& file) {
    const auto parts = blocks(file);
    require(!parts.empty() && parts[0] == std::vector<std::string>{"WEBVTT"}, "WEBVTT, alone");
    std::vector<ReadCue> cues;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      cues.push_back(cue(parts[i], 0, '.'));
      require(i == 1 || cues[i - 2].start <= cues[i - 1].start, "cues in order of start");
    }
    return cues;
  }

 private:
  static void require(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
  }

  static std::vector<std::vector<std::string>> blocks(const std::string& file) {
    require(file.empty() || file.back() == '\n', "the last line ends");
    std::vector<std::vector<std::string>> result;
    std::istringstream lines(file);
    bool open = false;
    for (std::string line; std::getline(lines, line);) {
      require(line.find('\r') == std::string::npos && line.find('\0') == std::string::npos,
              "no stray line ends");
      if (line.empty()) {
        open = false;
        continue;
      }
      if (!open) result.emplace_back();
      open = true;
      result.back().push_back(line);
    }
    return result;
  }

  /// "01:02:03,456": two digits or more of hours, two of minutes and seconds, three behind the
  /// point.
  static std::int64_t milliseconds(const std::string& time, char point) {
    const std::size_t hours = time.find(':');
    require(hours != std::string::npos && hours >= 2 && time.size() == hours + 10, "a time");
    require(time[hours + 3] == ':' && time[hours + 6] == point, "the format's own point");
    const auto number = [&](std::size_t from, std::size_t digits) {
      const std::string part = time.substr(from, digits);
      require(part.find_first_not_of("0123456789") == std::string::npos, "digits");
      return std::stoll(part);
    };
    const std::int64_t minutes = number(hours + 1, 2), seconds = number(hours + 4, 2);
    require(minutes < 60 && seconds < 60, "minutes and seconds below 60");
    return ((number(0, hours) * 60 + minutes) * 60 + seconds) * 1000 + number(hours + 7, 3);
  }

  static ReadCue cue(const std::vector<std::string>& block, std::size_t at, char point) {
    const std::string& times = block.at(at);
    const std::size_t arrow = times.find(" --> ");
    require(arrow != std::string::npos, "a line of times");
    ReadCue result{milliseconds(times.substr(0, arrow), point),
                   milliseconds(times.substr(arrow + 5), point), ""};
    require(result.start < result.end, "a cue ends after it starts");
    for (std::size_t i = at + 1; i < block.size(); ++i) {
      require(block[i].find("-->") == std::string::npos, "no arrow in the text");
      if (i > at + 1) result.text += '\n';
      result.text += block[i];
    }
    require(!result.text.empty(), "a cue has text");
    require(result.text.find('<') == std::string::npos, "no tag");
    for (const auto& [escape, plain] :
         {std::pair("&lt;", "<"), std::pair("&gt;", ">"), std::pair("&amp;", "&")}) {
      for (std::size_t where = 0; (where = result.text.find(escape, where)) != std::string::npos;
           ++where)
        result.text.replace(where, std::string(escape).size(), plain);
    }
    return result;
  }
};

}  // namespace tarsier::testing
