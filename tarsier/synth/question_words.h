#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "tarsier/synth/world.h"

namespace tarsier {

/// How questions are worded; placeholders in braces are filled by put(). {name} is "red circle" or
/// "group of red circles", {the_name} and {a_name} have the article, {names} is "red circles"; so
/// for {partner} and {the_partner}.
struct QuestionWords {
  std::string yes, no;
  std::string colour;                              // {shape}, {the_shape}
  std::string shape;                               // {colour}
  std::string count_start, count_end;              // of all objects
  std::string count_group_start, count_group_end;  // of a group's members: {names}
  std::string place_start, place_end;              // {name}, {the_name}
  std::string background_start, background_end;
  std::string first;                              // {clause}, {other}
  std::string after;                              // {clause}
  std::string when;                               // {clause}
  std::string is_there;                           // {a_name}
  std::string before;                             // {did}, {clause}, {other}
  std::string which;                              // the stem of multiple choice among events
  std::string end_mark;                           // closes {did}
  std::array<std::string, kAllEventKinds> times;  // by EventKind
  std::array<std::string, kAllEventKinds> did;    // the names, {direction}, {edge}, {to},
                                                  // {to_count}, {background}, {clause}
};

const QuestionWords& question_words(Language language);

/// `text` with each placeholder replaced, e.g. put("the {name}", {{"{name}", "red ring"}}).
std::string put(std::string text,
                std::initializer_list<std::pair<std::string_view, std::string_view>> values);

}  // namespace tarsier
