#include "tarsier/train/tensorboard_events.h"

#include <bit>

#include "tarsier/base/crc32c.h"

namespace tarsier {
namespace {

// Field numbers of event.proto, summary.proto and tensor.proto.
constexpr std::uint32_t kEventWallTime = 1, kEventStep = 2, kEventVersion = 3, kEventSummary = 5,
                        kEventSession = 7;
constexpr std::uint32_t kSessionStatus = 1, kSessionStart = 1;
constexpr std::uint32_t kSummaryValue = 1, kValueTag = 1, kValueNumber = 2, kValueTensor = 8,
                        kValueMetadata = 9;
constexpr std::uint32_t kMetadataPlugin = 1, kPluginName = 1;
constexpr std::uint32_t kTensorType = 1, kTensorShape = 2, kTensorStrings = 8, kTypeString = 7;
constexpr std::uint32_t kShapeDimension = 2, kDimensionSize = 1;

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

template <class Integer>
void put_little_endian(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, std::uint32_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_integer(std::string& out, std::uint32_t field, std::int64_t value) {
  put_key(out, field, kVarint);
  put_varint(out, static_cast<std::uint64_t>(value));
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string begin_event(double wall_time, std::int64_t step) {
  std::string event;
  put_key(event, kEventWallTime, kFixed64);
  put_little_endian(event, std::bit_cast<std::uint64_t>(wall_time));
  if (step != 0) put_integer(event, kEventStep, step);
  return event;
}

std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

}  // namespace

std::string version_event(double wall_time) {
  std::string event = begin_event(wall_time, 0);
  put_bytes(event, kEventVersion, "brain.Event:2");
  return event;
}

std::string session_start_event(double wall_time, std::int64_t step) {
  std::string session, event = begin_event(wall_time, step);
  put_integer(session, kSessionStatus, kSessionStart);
  put_bytes(event, kEventSession, session);
  return event;
}

std::string scalars_event(double wall_time, std::int64_t step,
                          std::span<const TaggedScalar> values) {
  std::string summary, event = begin_event(wall_time, step);
  for (const TaggedScalar& scalar : values) {
    std::string value;
    put_bytes(value, kValueTag, scalar.tag);
    put_key(value, kValueNumber, kFixed32);
    put_little_endian(value, std::bit_cast<std::uint32_t>(static_cast<float>(scalar.value)));
    put_bytes(summary, kSummaryValue, value);
  }
  put_bytes(event, kEventSummary, summary);
  return event;
}

std::string text_event(double wall_time, std::int64_t step, std::string_view tag,
                       std::string_view text) {
  std::string dimension, shape, tensor;
  put_integer(dimension, kDimensionSize, 1);
  put_bytes(shape, kShapeDimension, dimension);
  put_integer(tensor, kTensorType, kTypeString);
  put_bytes(tensor, kTensorShape, shape);
  put_bytes(tensor, kTensorStrings, text);
  std::string plugin, metadata;
  put_bytes(plugin, kPluginName, "text");
  put_bytes(metadata, kMetadataPlugin, plugin);
  std::string value, summary, event = begin_event(wall_time, step);
  put_bytes(value, kValueTag, tag);
  put_bytes(value, kValueTensor, tensor);
  put_bytes(value, kValueMetadata, metadata);
  put_bytes(summary, kSummaryValue, value);
  put_bytes(event, kEventSummary, summary);
  return event;
}

std::string event_record(std::string_view event) {
  std::string record;
  put_little_endian(record, static_cast<std::uint64_t>(event.size()));
  put_little_endian(record, masked_crc(record));
  record += event;
  put_little_endian(record, masked_crc(event));
  return record;
}

}  // namespace tarsier
