#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// The objects of a clip while it is drawn: what is in view, which names are taken, what each does
/// just now. It draws events that are possible: an object does one thing at a time, two are never
/// in one cell, and what an event passes through stays free until it is over.
class Cast {
 public:
  Cast(const Level& level, ClipOptions options, Random& random)
      : level_(level), options_(options), random_(random) {}

  void set_background(Background background) { background_ = background; }
  /// A fresh object with a name of its own; `held_out`: one of the held-out pairs.
  int add_object(Cell cell, bool from_start, bool held_out);
  const std::vector<Object>& objects() const { return objects_; }

  /// An event of that kind by objects that are idle, or nothing. Kinds that are drawn in two ways
  /// (a move sideways or upright) alternate with `way`.
  std::optional<Event> draw(EventKind kind, int way);
  /// The event begins: its objects are busy and its cells held until it ends.
  void begin(const Event& event);
  void end(const Event& event);

 private:
  using Step = std::pair<int, Direction>;  // an object and where it goes

  bool taken(const Look& look) const;
  void take(const Look& look);
  bool is_free(Cell cell) const;
  std::vector<int> idle() const;  // in view and doing nothing
  const Look& look_of(int object) const { return *now_[static_cast<std::size_t>(object)]; }
  bool is_plain(int object) const;                       // neither group nor figure
  bool is_standing(int object) const;                    // a figure on its feet
  std::vector<Cell> cells_of(const Event& event) const;  // besides those of its objects
  Look fresh_look(Cell cell, bool from_start, bool held_out);

  template <class Condition>
  std::optional<Event> draw_single(EventKind kind, Condition possible);
  template <class Condition>
  std::optional<Event> draw_step(EventKind kind, const std::vector<Direction>& directions,
                                 Condition possible);
  template <class Condition>
  std::optional<Event> draw_pair(EventKind kind, Condition possible);
  std::optional<Event> draw_appear();
  std::optional<Event> draw_recolour();
  std::optional<Event> draw_swap();
  std::optional<Event> draw_cut();
  std::optional<Event> draw_follow();
  std::optional<Event> draw_recount();

  const Level& level_;
  ClipOptions options_;
  Random& random_;
  Background background_ = Background::black;
  std::vector<Object> objects_;
  std::vector<std::optional<Look>> now_;  // by object; empty when not in view
  std::vector<bool> fallen_;              // by object
  std::vector<Event> running_;
  std::array<bool, kColours * kAllShapes> taken_{};
};

}  // namespace tarsier
