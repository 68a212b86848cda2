#include "tarsier/synth/phrasing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

using testing::ElementsAre;

Clip small_clip() {
  const Look circle{Shape::circle, Colour::red, ShapeSize::small, 0};
  const Look star{Shape::star, Colour::orange, ShapeSize::big, 4};
  Event move{
      .kind = EventKind::move, .start = 1, .end = 2.6, .object = 0, .direction = Direction::right};
  move.actor = circle;
  Event cut{.kind = EventKind::cut, .start = 4, .end = 4.04, .to_background = Background::pink};
  return {.level = "base",
          .seconds = 8,
          .background = Background::gray,
          .opening = {circle, star},
          .objects = {{.look = circle}, {.look = star}},
          .events = {move, cut}};
}

// All texts that some stream of random numbers gives.
template <class Say>
std::set<std::string> variants(Say say) {
  std::set<std::string> texts;
  for (std::uint64_t key = 0; key < 300; ++key) {
    Random random({key});
    texts.insert(say(random));
  }
  return texts;
}

TEST(Phrasing, DescribesInEnglish) {
  const auto texts =
      variants([](Random& random) { return describe(small_clip(), Language::english, random); });
  EXPECT_EQ(texts.size(), 2u * 2 * 2 * 2);  // opening, move, cut, with and without "then"
  EXPECT_TRUE(
      texts.contains("On a gray background, there is a small red circle at the top left and a big "
                     "orange star in the center. "
                     "The red circle moves right. Then the background turns pink."));
}

TEST(Phrasing, DescribesInChinese) {
  const auto texts =
      variants([](Random& random) { return describe(small_clip(), Language::chinese, random); });
  EXPECT_TRUE(
      texts.contains("在灰色背景上，左上角有一个小的红色圆形，中央有一个大的橙色星形。红色圆形向右"
                     "移动。然后背景变成粉色。"));
}

TEST(Phrasing, MarksFrames) {
  const Clip clip = small_clip();
  const auto texts = variants([&](Random& random) {
    return describe_with_intervals(clip, sampled_seconds(clip, 8), Language::english, random);
  });
  EXPECT_EQ(texts.size(), 2u * 2 * 2);
  EXPECT_TRUE(texts.contains(
      "The background is gray, with a small red circle at the top left and a big orange star in "
      "the center."
      "<frame: 1-4>The red circle moves right.<frame: 4-5>The background turns pink."));
  EXPECT_EQ(frame_marker({2, 2}), "<frame: 3>");
}

TEST(Phrasing, ShortCaptionsAreTrueUnlessAskedOtherwise) {
  const auto texts = variants(
      [](Random& random) { return short_caption(small_clip(), Language::english, random); });
  EXPECT_TRUE(texts.contains("a red circle and an orange star on a gray background"));
  EXPECT_TRUE(texts.contains("a red circle"));
  EXPECT_TRUE(texts.contains("the red circle goes right"));
  EXPECT_EQ(texts.size(), 2u * 2 + 4);
  const auto wrong = variants(
      [](Random& random) { return short_caption(small_clip(), Language::english, random, 1); });
  for (const std::string& text : wrong) EXPECT_FALSE(texts.contains(text)) << text;
}

TEST(Vocabulary, SaysWhatALookIs) {
  EXPECT_THAT(visual_words({Shape::circle, Colour::red, ShapeSize::big, 0}),
              ElementsAre("red", "circle", "big", "top", "left"));
  EXPECT_THAT(visual_words({Shape::ring, Colour::cyan, ShapeSize::small, 4}),
              ElementsAre("cyan", "ring", "small", "center"));
  EXPECT_THAT(visual_words({Shape::ring, Colour::cyan, ShapeSize::small, 8}, Language::chinese),
              ElementsAre("青色", "圆环", "小", "右下角"));
  EXPECT_EQ(background_word(Background::pink), "pink");
}

TEST(Vocabulary, CorpusHoldsEveryWord) {
  const std::vector<std::string> chinese = corpus(Language::chinese);
  const std::set<std::string> pieces(chinese.begin(), chinese.end());
  for (int i = 0; i < kShapes; ++i)
    EXPECT_TRUE(pieces.contains(std::string(word(static_cast<Shape>(i), Language::chinese))));
  for (int i = 0; i < kCells; ++i)
    EXPECT_TRUE(pieces.contains(std::string(place_words(i, Language::chinese))));
  for (const std::string& piece : pieces) {  // no long unknown rest
    EXPECT_TRUE(piece.size() <= 12 || piece.starts_with("<frame: ")) << piece;
  }
  std::string english;
  for (const std::string& text : corpus(Language::english)) english += text + "\n";
  for (int i = 0; i < kBackgrounds; ++i) {
    EXPECT_NE(english.find(" " + background_word(static_cast<Background>(i))), std::string::npos);
  }
}

}  // namespace
}  // namespace tarsier
