#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tarsier {

/// One number under a TensorBoard tag such as "train/loss".
struct TaggedScalar {
  std::string_view tag;
  double value;  // stored as f32
};

// Events of TensorBoard's event.proto, encoded by hand: five messages do not ask for a protobuf
// library. `wall_time` is in seconds since 1970.

/// The first event of every file.
std::string version_event(double wall_time);
/// Says that the run goes on at `step`: TensorBoard drops what earlier files hold from it on.
std::string session_start_event(double wall_time, std::int64_t step);
std::string scalars_event(double wall_time, std::int64_t step,
                          std::span<const TaggedScalar> values);
/// `text` is Markdown, for TensorBoard's text page.
std::string text_event(double wall_time, std::int64_t step, std::string_view tag,
                       std::string_view text);

/// An event as it stands in a file: u64 length, masked CRC-32C of it, the event, masked CRC-32C of
/// that; little-endian.
std::string event_record(std::string_view event);

}  // namespace tarsier
