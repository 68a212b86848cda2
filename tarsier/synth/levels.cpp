#include <array>

#include "tarsier/base/error.h"
#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

// Weights in the order of EventKind. The later kinds need more of a scene (neighbours, free cells,
// figures, groups), so that they are rarely possible and weigh more.
const std::array<Level, 4>& levels() {
  static const std::array<Level, 4> all = {
      Level{.name = "easy", .seconds = 4, .max_objects = 1, .max_events = 1},
      Level{.name = "base"},
      Level{.name = "rich",
            .seconds = 8,
            .more_seconds = 8,
            .frames = 16,
            .min_objects = 2,
            .max_objects = 5,
            .max_in_view = 6,
            .min_events = 2,
            .max_events = 6,
            .overlap = true,
            .min_event_seconds = 1.4,
            .max_event_seconds = 2.2,
            .weights = {1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 3, 2, 16, 9, 4, 5, 4, 3},
            .figure_rate = 0.2,
            .group_rate = 0.15,
            .camera_rate = 0.4,
            .max_pan = 12,
            .min_zoom = 0.9,
            .max_zoom = 1.1,
            .horizon_rate = 0.3},
      Level{.name = "av", .min_sounds = 1, .max_sounds = 3, .tied_rate = 0.5},
  };
  return all;
}

}  // namespace

const Level& level_named(std::string_view name) {
  for (const Level& level : levels()) {
    if (level.name == name) return level;
  }
  throw ConfigError(
      {"level", "no level is named '" + std::string(name) + "'", "use " + level_list()});
}

std::vector<std::string> level_names() {
  std::vector<std::string> names;
  for (const Level& level : levels()) names.push_back(level.name);
  return names;
}

std::string level_list() {
  std::string list;
  for (std::size_t i = 0; i < levels().size(); ++i) {
    if (i > 0) list += i + 1 == levels().size() ? " or " : ", ";
    list += levels()[i].name;
  }
  return list;
}

}  // namespace tarsier
