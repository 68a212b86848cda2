#include "tarsier/synth/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/synth/claims.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

const Level& base() { return level_named("base"); }

template <class Check>
void for_clips(Split split, std::uint64_t count, Check check, ClipOptions options = {}) {
  for (std::uint64_t index = 0; index < count; ++index) {
    SCOPED_TRACE("clip " + std::to_string(index));
    check(make_clip(base(), split, 7, index, options));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Scene, LevelsHaveNames) {
  EXPECT_EQ(level_named("easy").seconds, 4);
  EXPECT_EQ(base().seconds, 8);
  try {
    level_named("hard");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "level: no level is named 'hard'; use easy, base, rich or av");
  }
}

TEST(Scene, AClipIsAFunctionOfItsKey) {
  EXPECT_EQ(make_clip(base(), Split::train, 1, 2), make_clip(base(), Split::train, 1, 2));
  const Clip clip = make_clip(base(), Split::train, 1, 2);
  for (const Clip& other :
       {make_clip(base(), Split::test, 1, 2), make_clip(base(), Split::train, 2, 2),
        make_clip(base(), Split::train, 1, 3)}) {
    EXPECT_NE(clip.events, other.events);
  }
}

TEST(Scene, OpeningIsInReadingOrderWithDistinctNamesAndCells) {
  std::set<std::size_t> counts;
  for_clips(Split::train, 3000, [&](const Clip& clip) {
    counts.insert(clip.opening.size());
    EXPECT_EQ(looks_at(clip, 0), clip.opening);
    for (std::size_t i = 1; i < clip.opening.size(); ++i) {
      EXPECT_LT(clip.opening[i - 1].cell, clip.opening[i].cell);
    }
  });
  EXPECT_THAT(counts, testing::ElementsAre(1, 2, 3));
}

TEST(Scene, NamesAndCellsStayDistinctAndThreeAreInViewAtMost) {
  for_clips(Split::train, 3000, [](const Clip& clip) {
    std::set<std::pair<Colour, Shape>> names;
    for (const Look& look : names_in(clip)) names.emplace(look.colour, look.shape);
    EXPECT_EQ(names.size(), names_in(clip).size());
    for (double seconds = 0; seconds <= 8; seconds += 0.25) {
      const std::vector<Look> looks = looks_at(clip, seconds);
      std::set<Cell> cells;
      for (const Look& look : looks) {
        cells.insert(look.cell);
        EXPECT_GE(look.cell, 0);
        EXPECT_LT(look.cell, kCells);
      }
      EXPECT_EQ(cells.size(), looks.size());
      EXPECT_LE(state_at(clip, seconds).sprites.size(), 3u);
    }
  });
}

TEST(Scene, EventsKeepTheirDistance) {
  for_clips(Split::train, 3000, [](const Clip& clip) {
    ASSERT_GE(clip.events.size(), 1u);
    ASSERT_LE(clip.events.size(), 3u);
    EXPECT_GE(clip.events.front().start, 0.5);
    EXPECT_LE(clip.events.back().end, 7.5);
    const std::vector<double> sampled = sampled_seconds(clip, 8);
    for (std::size_t i = 0; i < clip.events.size(); ++i) {
      const Event& event = clip.events[i];
      const double length = event.end - event.start;
      if (event.kind == EventKind::cut) {
        EXPECT_NEAR(length, 0.04, 1e-9);
      } else {
        EXPECT_GE(length, 1.4 - 1e-9);
        EXPECT_LE(length, 2.0 + 1e-9);
      }
      if (i == 0) continue;
      EXPECT_GE(event.start - clip.events[i - 1].end, 0.3);
      // Tarsier2's markers need starts that ascend.
      EXPECT_GT(frame_interval(event, sampled).first,
                frame_interval(clip.events[i - 1], sampled).first);
    }
  });
}

TEST(Scene, EventsArePossible) {
  for_clips(Split::train, 3000, [](const Clip& clip) {
    for (const Event& event : clip.events) {
      const std::vector<Look> before = looks_at(clip, event.start),
                              after = looks_at(clip, event.end);
      const auto in = [](const std::vector<Look>& looks, const Look& look) {
        return std::count(looks.begin(), looks.end(), look) == 1;
      };
      switch (event.kind) {
        case EventKind::cut:
          EXPECT_NE(background_at(clip, event.start), event.to_background);
          EXPECT_EQ(background_at(clip, event.end), event.to_background);
          EXPECT_EQ(before, after);
          continue;
        case EventKind::appear:
          EXPECT_FALSE(in(before, event.actor));
          EXPECT_TRUE(in(after, event.actor));
          EXPECT_EQ(after.size(), before.size() + 1);
          continue;
        case EventKind::disappear:
          EXPECT_EQ(after.size() + 1, before.size());
          break;
        case EventKind::grow:
          EXPECT_EQ(event.actor.size, ShapeSize::small);
          break;
        case EventKind::shrink:
          EXPECT_EQ(event.actor.size, ShapeSize::big);
          break;
        case EventKind::recolour:
          EXPECT_NE(event.actor.colour, event.to_colour);
          break;
        case EventKind::spin:
          EXPECT_NE(event.actor.shape, Shape::circle);
          EXPECT_NE(event.actor.shape, Shape::ring);
          break;
        case EventKind::swap:
          EXPECT_LT(event.actor.cell, event.partner.cell);
          EXPECT_TRUE(in(before, event.partner));
          break;
        case EventKind::move:
          EXPECT_NE(event.direction, Direction::none);
          break;
        case EventKind::jump:
          break;
        default:
          ADD_FAILURE() << "no event of the level base";
      }
      EXPECT_TRUE(in(before, event.actor));
      if (event.kind != EventKind::disappear) {
        EXPECT_EQ(before.size(), after.size());
      }
      EXPECT_EQ(before == after, event.kind == EventKind::spin || event.kind == EventKind::jump);
    }
  });
}

TEST(Scene, KindsAreAboutEven) {
  std::array<int, kEventKinds> counts{};
  int total = 0;
  for_clips(Split::train, 5000, [&](const Clip& clip) {
    for (const Event& event : clip.events) {
      ++counts[static_cast<std::size_t>(event.kind)];
      ++total;
    }
  });
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    const double draws = kind == static_cast<std::size_t>(EventKind::move) ? 2 : 1;
    EXPECT_GT(counts[kind], 0.6 * draws * total / 11) << kind;
    EXPECT_LT(counts[kind], 1.4 * draws * total / 11) << kind;
  }
}

TEST(Scene, HeldOutPairsAreSixAndOnlyInTheUnseenSet) {
  int pairs = 0;
  for (int colour = 0; colour < kColours; ++colour) {
    for (int shape = 0; shape < kShapes; ++shape) {
      pairs += is_held_out(static_cast<Colour>(colour), static_cast<Shape>(shape)) ? 1 : 0;
    }
  }
  EXPECT_EQ(pairs, 6);
  const auto held_out = [](const std::vector<Look>& looks) {
    return std::count_if(looks.begin(), looks.end(),
                         [](const Look& look) { return is_held_out(look.colour, look.shape); });
  };
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    for_clips(split, 1000, [&](const Clip& clip) { EXPECT_EQ(held_out(names_in(clip)), 0); });
  }
  for_clips(Split::test, 1000, [&](const Clip& clip) { EXPECT_EQ(held_out(clip.opening), 1); },
            {.unseen = true});
  EXPECT_THROW(make_clip(base(), Split::train, 1, 1, {.unseen = true}), InternalError);
}

}  // namespace
}  // namespace tarsier
