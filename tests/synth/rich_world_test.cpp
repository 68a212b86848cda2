// What must hold in every clip of the level rich, so that its scores are exact.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/grid.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

constexpr std::uint64_t kClips = 2000;

template <class Check>
void for_clips(Check check) {
  const Level& level = level_named("rich");
  for (std::uint64_t index = 0; index < kClips; ++index) {
    SCOPED_TRACE("clip " + std::to_string(index));
    check(make_clip(level, Split::train, 3, index), level);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(RichWorld, NamesMeanOneObjectAndOpeningsAreInReadingOrder) {
  std::set<std::size_t> objects, events;
  int groups = 0, figures = 0;
  for_clips([&](const Clip& clip, const Level&) {
    std::set<std::pair<Colour, Shape>> names;
    for (const Look& look : names_in(clip)) {
      names.emplace(look.colour, look.shape);
      EXPECT_FALSE(is_held_out(look.colour, look.shape));
    }
    EXPECT_EQ(names.size(), names_in(clip).size());
    EXPECT_EQ(looks_at(clip, 0), clip.opening);
    for (std::size_t i = 1; i < clip.opening.size(); ++i)
      EXPECT_LT(clip.opening[i - 1].cell, clip.opening[i].cell);
    for (const Look& look : clip.opening) {
      groups += is_group(look) ? 1 : 0;
      figures += look.shape == Shape::figure ? 1 : 0;
      EXPECT_TRUE(!is_group(look) || (look.shape != Shape::figure &&
                                      look.size == ShapeSize::small && look.count >= 2));
    }
    objects.insert(clip.opening.size());
    events.insert(clip.events.size());
  });
  EXPECT_THAT(objects, testing::ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(events, testing::ElementsAre(2, 3, 4, 5, 6));
  EXPECT_GT(groups, 500);
  EXPECT_GT(figures, 500);
}

TEST(RichWorld, EventsAreInOrderApartAndVisibleAndNeverTwoOnOneObject) {
  int overlaps = 0;
  for_clips([&](const Clip& clip, const Level& level) {
    EXPECT_GE(clip.seconds, 8);
    EXPECT_LE(clip.seconds, 16);
    EXPECT_TRUE(std::is_sorted(clip.events.begin(), clip.events.end(), comes_before));
    const std::vector<double> sampled = sampled_seconds(clip, level.frames);
    for (std::size_t i = 0; i < clip.events.size(); ++i) {
      const Event& event = clip.events[i];
      EXPECT_GE(event.start, level.margin_seconds - 1e-9);
      EXPECT_LE(event.end, clip.seconds - level.margin_seconds + 1e-9);
      if (event.kind != EventKind::cut) {
        EXPECT_GE(event.end - event.start, 1.4 - 1e-9);
        EXPECT_TRUE(std::any_of(sampled.begin(), sampled.end(), [&](double seconds) {
          return event.start < seconds && seconds < event.end;
        }));
      }
      for (std::size_t j = 0; j < i; ++j) {
        const Event& early = clip.events[j];
        EXPECT_GT(frame_interval(event, sampled).first, frame_interval(early, sampled).first);
        const bool same = (event.object >= 0 && concerns(early, event.object)) ||
                          (event.other >= 0 && concerns(early, event.other));
        if (same) {
          EXPECT_GE(event.start - early.end, level.gap_seconds - 1e-9);
        }
        overlaps += event.start < early.end ? 1 : 0;
      }
    }
  });
  EXPECT_GT(overlaps, 1000);
}

TEST(RichWorld, ObjectsStandInCellsOfTheirOwnAndStayInThePicture) {
  for_clips([](const Clip& clip, const Level& level) {
    for (double seconds = 0; seconds <= clip.seconds; seconds += 0.2) {
      const std::vector<Look> looks = looks_at(clip, seconds);
      std::set<Cell> cells;
      for (const Look& look : looks) {
        cells.insert(look.cell);
        EXPECT_GE(look.cell, 0);
        EXPECT_LT(look.cell, kCells);
        EXPECT_TRUE(look.count >= 1 && look.count <= kMostInGroup);
      }
      EXPECT_EQ(cells.size(), looks.size());
      EXPECT_LE(static_cast<int>(looks.size()), level.max_in_view);
      for (const Sprite& sprite : state_at(clip, seconds).sprites) {
        EXPECT_GT(sprite.x, 0);
        EXPECT_LT(sprite.x, 336);
        EXPECT_GT(sprite.y, 0);
        EXPECT_LT(sprite.y, 336);
      }
    }
  });
}

// At rest an object's centre, as the camera sees it, lies well inside its cell.
TEST(RichWorld, PlacesAreWhereTheCameraShowsThem) {
  for_clips([](const Clip& clip, const Level&) {
    const SceneState end = state_at(clip, clip.seconds);
    const std::vector<Look> looks = looks_at(clip, clip.seconds);
    for (const Sprite& sprite : end.sprites) {
      const double x = (sprite.x - 168) * end.view.zoom + 168 + end.view.x,
                   y = (sprite.y - 168) * end.view.zoom + 168 + end.view.y;
      const bool near = std::any_of(looks.begin(), looks.end(), [&](const Look& look) {
        const double reach = is_group(look) || look.shape == Shape::figure ? 68 : 36;
        return std::abs(x - kCellSide * (column_of(look.cell) + 0.5)) < reach &&
               std::abs(y - kCellSide * (row_of(look.cell) + 0.5)) < reach;
      });
      EXPECT_TRUE(near) << x << " " << y;
    }
  });
}

TEST(RichWorld, EventsArePossible) {
  std::array<int, kAllEventKinds> counts{};
  for_clips([&](const Clip& clip, const Level&) {
    for (const Event& event : clip.events) {
      ++counts[static_cast<std::size_t>(event.kind)];
      if (event.kind == EventKind::cut) {
        EXPECT_NE(background_at(clip, event.start), event.to_background);
        continue;
      }
      const std::vector<Look> before = looks_at(clip, event.start),
                              after = looks_at(clip, event.end);
      const auto in = [](const std::vector<Look>& looks, const Look& look) {
        return std::count(looks.begin(), looks.end(), look) == 1;
      };
      if (event.kind != EventKind::appear) {
        EXPECT_TRUE(in(before, event.actor));
      }
      if (event.kind != EventKind::disappear) {
        EXPECT_TRUE(in(after, look_after(event, event.object, event.actor)));
      }
      if (has_partner(event.kind)) {
        EXPECT_TRUE(in(before, event.partner));
        EXPECT_TRUE(in(after, look_after(event, event.other, event.partner)));
        EXPECT_FALSE(same_name(event.actor, event.partner));
      }
      EXPECT_EQ(has_direction(event.kind), event.direction != Direction::none);
      if (event.kind == EventKind::recount) {
        EXPECT_NE(event.to_count, event.actor.count);
      }
      if (event.kind == EventKind::follow) {
        EXPECT_EQ(neighbour(event.actor.cell, event.direction), event.partner.cell);
      }
      const bool of_figures = event.kind == EventKind::walk || event.kind == EventKind::wave ||
                              event.kind == EventKind::fall;
      EXPECT_TRUE(!of_figures || event.actor.shape == Shape::figure);
    }
  });
  for (const int count : counts) EXPECT_GT(count, 100) << testing::PrintToString(counts);
}

// The object of an event looks other than before or after in some sampled frame, or changes.
TEST(RichWorld, EventsShow) {
  for_clips([](const Clip& clip, const Level& level) {
    const std::vector<double> sampled = sampled_seconds(clip, level.frames);
    for (const Event& event : clip.events) {
      if (event.kind == EventKind::cut) continue;
      const auto sprites = [&](double seconds) {
        std::vector<Sprite> own;
        for (const Sprite& sprite : state_at(clip, seconds).sprites) {
          if (sprite.object == event.object) own.push_back(sprite);
        }
        return own;
      };
      const std::vector<Sprite> before = sprites(event.start);
      const bool shows = std::any_of(sampled.begin(), sampled.end(), [&](double seconds) {
        if (seconds <= event.start || seconds > event.end + 1.1) return false;
        const std::vector<Sprite> now = sprites(seconds);
        if (now.size() != before.size()) return true;
        for (std::size_t i = 0; i < now.size(); ++i) {
          const Sprite &a = now[i], &b = before[i];
          if (std::abs(a.x - b.x) > 8 || std::abs(a.y - b.y) > 8 ||
              std::abs(a.radius - b.radius) > 3 || std::abs(a.turns - b.turns) > 0.02 ||
              std::abs(a.opacity - b.opacity) > 0.2 || a.wave != b.wave ||
              std::abs(a.rgb[0] - b.rgb[0]) + std::abs(a.rgb[1] - b.rgb[1]) +
                      std::abs(a.rgb[2] - b.rgb[2]) >
                  20)
            return true;
        }
        return false;
      });
      EXPECT_TRUE(shows) << event_clause(event, Language::english);
    }
  });
}

TEST(RichWorld, UnseenClipsHaveOneHeldOutObject) {
  for (std::uint64_t index = 0; index < 300; ++index) {
    const Clip clip = make_clip(level_named("rich"), Split::test, 1, index, {.unseen = true});
    EXPECT_EQ(std::count_if(clip.opening.begin(), clip.opening.end(),
                            [](const Look& look) { return is_held_out(look.colour, look.shape); }),
              1);
  }
}

TEST(RichWorld, IsTheSameEverywhere) {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  const auto add = [&](const char* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      value = (value ^ static_cast<unsigned char>(data[i])) * 0x100000001b3ULL;
  };
  for (std::uint64_t index = 0; index < 12; ++index) {
    const Clip clip = make_clip(level_named("rich"), Split::train, 1, index);
    Random random({index});
    for (const Language language : kLanguages) {
      const std::string text = describe(clip, language, random);
      add(text.data(), text.size());
    }
    Renderer renderer(clip, 168);
    for (const double seconds : sampled_seconds(clip, 7)) {
      const std::vector<std::uint8_t> rgb = renderer.render(seconds);
      add(reinterpret_cast<const char*>(rgb.data()), rgb.size());
    }
  }
  EXPECT_EQ(value, 17559669703260118885u);
}

}  // namespace
}  // namespace tarsier
