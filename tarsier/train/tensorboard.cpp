#include "tarsier/train/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

EventFile::EventFile(std::filesystem::path folder, std::int64_t resumed_step)
    : folder_(std::move(folder)), resumed_step_(resumed_step) {}

void EventFile::open() {
  // TensorBoard takes files by name: ten digits of seconds keep them in the order of their making.
  const std::string name =
      fmt::format("events.out.tfevents.{:010}.{}", static_cast<std::int64_t>(now()), host_name());
  file_ = folder_ / name;
  for (int i = 1; std::filesystem::exists(file_); ++i)  // resumed within a second
    file_ = folder_ / fmt::format("{}.{:04}", name, i);
  stream_.open(file_, std::ios::binary);
  write(version_event(now()));
  write(session_start_event(now(), resumed_step_ + 1));
}

void EventFile::write(std::string_view event) {
  stream_ << event_record(event);
  stream_.flush();
  if (!stream_)
    throw ResourceError(
        {file_.string(), "cannot be written", "free disk space and run the same command again"});
}

void EventFile::add_scalars(std::int64_t step, std::span<const TaggedScalar> values) {
  if (!stream_.is_open()) open();
  write(scalars_event(now(), step, values));
}

void EventFile::add_text(std::int64_t step, std::string_view tag, std::string_view text) {
  if (!stream_.is_open()) open();
  write(text_event(now(), step, tag, text));
}

}  // namespace tarsier
