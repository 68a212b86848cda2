#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "tarsier/synth/world.h"

namespace tarsier {

/// How questions are worded; placeholders in braces are filled by put().
struct QuestionWords {
  std::string yes, no;
  std::string colour;  // {shape}
  std::string shape;   // {colour}
  std::string count_start, count_end;
  std::string place_start, place_end;  // {name}
  std::string background_start, background_end;
  std::string first;                           // {clause}, {other}
  std::string after;                           // {clause}
  std::string when;                            // {clause}
  std::string is_there;                        // {a_name}
  std::string before;                          // {did}, {clause}, {other}
  std::string which;                           // the stem of multiple choice among events
  std::string end_mark;                        // closes {did}
  std::array<std::string, kEventKinds> times;  // by EventKind
  std::array<std::string, kEventKinds>
      did;  // {name}, {a_name}, {partner}, {direction}, {to}, {background}, {clause}
};

const QuestionWords& question_words(Language language);

/// `text` with each placeholder replaced, e.g. put("the {name}", {{"{name}", "red ring"}}).
std::string put(std::string text,
                std::initializer_list<std::pair<std::string_view, std::string_view>> values);

}  // namespace tarsier
