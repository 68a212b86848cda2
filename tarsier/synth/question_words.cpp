#include "tarsier/synth/question_words.h"

namespace tarsier {
namespace {

QuestionWords english() {
  return {
      .yes = "yes",
      .no = "no",
      .colour = "What color is the {shape} at the start?",
      .shape = "What shape is the {colour} object at the start?",
      .count_start = "How many objects are there at the start?",
      .count_end = "How many objects are there at the end?",
      .place_start = "Where is the {name} at the start?",
      .place_end = "Where is the {name} at the end?",
      .background_start = "What color is the background at the start?",
      .background_end = "What color is the background at the end?",
      .first = "Which happens first: {clause} or {other}?",
      .after = "What happens right after {clause}?",
      .when = "Which frames show that {clause}?",
      .is_there = "Is there {a_name} in the video?",
      .before = "{did} before {other}?",
      .which = "Which of these happens?",
      .end_mark = "?",
      .times = {"How many times does an object appear?", "How many times does an object disappear?",
                "How many times does an object move?", "How many times does an object grow?",
                "How many times does an object shrink?",
                "How many times does an object change color?",
                "How many times does an object spin?", "How many times does an object jump?",
                "How many times do two objects swap places?",
                "How many times does the background change?"},
      .did = {"Does {a_name} appear", "Does the {name} disappear",
              "Does the {name} move {direction}", "Does the {name} grow", "Does the {name} shrink",
              "Does the {name} turn {to}", "Does the {name} spin", "Does the {name} jump",
              "Does the {name} swap places with the {partner}",
              "Does the background turn {background}"},
  };
}

QuestionWords chinese() {
  return {
      .yes = "是",
      .no = "否",
      .colour = "开始时{shape}是什么颜色？",
      .shape = "开始时{colour}的物体是什么形状？",
      .count_start = "开始时有几个物体？",
      .count_end = "结束时有几个物体？",
      .place_start = "开始时{name}在哪里？",
      .place_end = "结束时{name}在哪里？",
      .background_start = "开始时背景是什么颜色？",
      .background_end = "结束时背景是什么颜色？",
      .first = "哪个先发生：{clause}还是{other}？",
      .after = "{clause}之后发生什么？",
      .when = "哪些帧显示{clause}？",
      .is_there = "视频里有{a_name}吗？",
      .before = "{did}是在{other}之前吗？",
      .which = "哪项发生了？",
      .end_mark = "吗？",
      .times = {"有几次物体出现？", "有几次物体消失？", "有几次物体移动？", "有几次物体变大？",
                "有几次物体变小？", "有几次物体变色？", "有几次物体旋转？", "有几次物体跳动？",
                "有几次物体交换位置？", "背景变了几次？"},
      .did = {"{name}出现", "{clause}", "{clause}", "{clause}", "{clause}", "{clause}", "{clause}",
              "{clause}", "{clause}", "{clause}"},
  };
}

}  // namespace

const QuestionWords& question_words(Language language) {
  static const std::array<QuestionWords, 2> all = {english(), chinese()};
  return all[static_cast<std::size_t>(language)];
}

std::string put(std::string text,
                std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  for (const auto& [name, value] : values) {
    for (std::size_t at = text.find(name); at != std::string::npos;
         at = text.find(name, at + value.size())) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

}  // namespace tarsier
