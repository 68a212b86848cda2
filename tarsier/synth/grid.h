#pragma once

#include <optional>

#include "tarsier/synth/world.h"

namespace tarsier {

/// The 3 x 3 cells of the picture.

constexpr int row_of(Cell cell) { return cell / 3; }
constexpr int column_of(Cell cell) { return cell % 3; }

/// The next cell that way; nothing at the edge.
constexpr std::optional<Cell> neighbour(Cell cell, Direction direction) {
  const int row = row_of(cell), column = column_of(cell);
  switch (direction) {
    case Direction::left:
      return column > 0 ? std::optional(cell - 1) : std::nullopt;
    case Direction::right:
      return column < 2 ? std::optional(cell + 1) : std::nullopt;
    case Direction::up:
      return row > 0 ? std::optional(cell - 3) : std::nullopt;
    case Direction::down:
      return row < 2 ? std::optional(cell + 3) : std::nullopt;
    case Direction::none:
      break;
  }
  return std::nullopt;
}

/// Which way `to` lies from `from` in the same row or column; none otherwise.
constexpr Direction direction_to(Cell from, Cell to) {
  if (from == to) return Direction::none;
  if (row_of(from) == row_of(to)) return from < to ? Direction::right : Direction::left;
  if (column_of(from) == column_of(to)) return from < to ? Direction::down : Direction::up;
  return Direction::none;
}

}  // namespace tarsier
