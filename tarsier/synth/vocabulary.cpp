#include "tarsier/synth/vocabulary.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "tarsier/synth/phrases.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

template <std::size_t Count>
using Words = std::array<std::array<std::string_view, Count>, 2>;  // by language

constexpr Words<kShapes> kShapeWords = {{{"circle", "square", "triangle", "cross", "ring", "star"},
                                         {"圆形", "方形", "三角形", "十字形", "圆环", "星形"}}};
constexpr Words<kColours> kColourWords = {
    {{"red", "green", "blue", "yellow", "purple", "orange", "cyan"},
     {"红色", "绿色", "蓝色", "黄色", "紫色", "橙色", "青色"}}};
constexpr Words<kSizes> kSizeWords = {{{"small", "big"}, {"小", "大"}}};
constexpr Words<kBackgrounds> kBackgroundWords = {
    {{"black", "white", "gray", "brown", "pink"}, {"黑色", "白色", "灰色", "棕色", "粉色"}}};
constexpr Words<5> kDirectionWords = {
    {{"", "left", "right", "up", "down"}, {"", "左", "右", "上", "下"}}};
constexpr Words<kCells> kPlaceWords = {
    {{"top left", "top", "top right", "left", "center", "right", "bottom left", "bottom",
      "bottom right"},
     {"左上角", "上方", "右上角", "左侧", "中央", "右侧", "左下角", "下方", "右下角"}}};

template <std::size_t Count, class Value>
std::string_view word_in(const Words<Count>& words, Value value, Language language) {
  return words[static_cast<std::size_t>(language)][static_cast<std::size_t>(value)];
}

// Chinese words that are no value of the world, longest first where one begins another.
constexpr std::string_view kChineseParticles[] = {
    "先发生", "发生", "开始时", "结束时", "什么",   "颜色", "形状", "物体", "视频", "哪些", "哪里",
    "哪个",   "哪项", "显示",   "几个",   "几次",   "之前", "之后", "还是", "出现", "消失", "不见",
    "移动",   "旋转", "转动",   "跳动",   "跳起来", "交换", "互换", "位置", "变大", "变小", "变得",
    "变成",   "变为", "变色",   "更大",   "更小",   "背景", "然后", "一个", "有",   "在",   "的",
    "向",     "往",   "走",     "和",     "与",     "了",   "是",   "否",   "吗",   "帧",   "上",
    "里",     "，",   "。",     "？",     "：",     "\n"};

std::vector<std::string_view> chinese_words() {
  std::vector<std::string_view> words(std::begin(kChineseParticles), std::end(kChineseParticles));
  const auto add = [&](const auto& list) { words.insert(words.end(), list.begin(), list.end()); };
  add(kShapeWords[1]);
  add(kColourWords[1]);
  add(kPlaceWords[1]);
  add(kBackgroundWords[1]);
  add(kSizeWords[1]);
  add(std::span(kDirectionWords[1]).subspan(1));
  std::stable_sort(words.begin(), words.end(),
                   [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
  return words;
}

// Cuts a Chinese sentence into its words; what lies between known words stays in one piece.
void cut_into_words(std::string_view text, std::vector<std::string>& pieces) {
  static const std::vector<std::string_view> words = chinese_words();
  std::string rest;
  const auto flush = [&] {
    if (!rest.empty()) pieces.push_back(std::move(rest));
    rest.clear();
  };
  while (!text.empty()) {
    const auto found = std::find_if(words.begin(), words.end(), [&](std::string_view known) {
      return text.starts_with(known);
    });
    if (found == words.end()) {
      rest += text.front();
      text.remove_prefix(1);
      continue;
    }
    flush();
    pieces.emplace_back(*found);
    text.remove_prefix(found->size());
  }
  flush();
}

}  // namespace

std::string_view word(Shape shape, Language language) {
  return word_in(kShapeWords, shape, language);
}
std::string_view word(Colour colour, Language language) {
  return word_in(kColourWords, colour, language);
}
std::string_view word(ShapeSize size, Language language) {
  return word_in(kSizeWords, size, language);
}
std::string_view word(Background background, Language language) {
  return word_in(kBackgroundWords, background, language);
}
std::string_view word(Direction direction, Language language) {
  return word_in(kDirectionWords, direction, language);
}
std::string_view place_words(Cell cell, Language language) {
  return word_in(kPlaceWords, cell, language);
}

std::string_view name_of(EventKind kind) {
  static constexpr std::array<std::string_view, kEventKinds> kNames = {
      "appear", "disappear", "move", "grow", "shrink", "recolour", "spin", "jump", "swap", "cut"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Split split) {
  static constexpr std::array<std::string_view, 3> kNames = {"train", "validation", "test"};
  return kNames[static_cast<std::size_t>(split)];
}

std::vector<std::string> visual_words(const Look& look, Language language) {
  std::vector<std::string> words = {std::string(word(look.colour, language)),
                                    std::string(word(look.shape, language)),
                                    std::string(word(look.size, language))};
  const std::string_view place = place_words(look.cell, language);
  const std::size_t space = place.find(' ');
  words.emplace_back(place.substr(0, space));
  if (space != std::string_view::npos) words.emplace_back(place.substr(space + 1));
  return words;
}

std::string background_word(Background background, Language language) {
  return std::string(word(background, language));
}

std::vector<std::string> corpus(Language language) {
  constexpr std::uint64_t kClips = 400;
  std::vector<std::string> texts;
  const auto add = [&](const std::string& text) {
    if (language == Language::english) {
      texts.push_back(text);
    } else {
      cut_into_words(text, texts);
    }
  };
  for (std::uint64_t index = 0; index < kClips; ++index) {
    const Clip clip = make_clip(level_named("base"), Split::train, 0, index);
    const std::vector<double> seconds = sampled_seconds(clip, index % 2 == 0 ? 8 : 16);
    Random random({index});
    add(describe(clip, language, random));
    add(describe_with_intervals(clip, seconds, language, random));
    add(short_caption(clip, language, random));
    for (const Question& question : make_questions(clip, seconds, language, random)) {
      add(question.question);
      add(question.answer);
    }
  }
  return texts;
}

}  // namespace tarsier
