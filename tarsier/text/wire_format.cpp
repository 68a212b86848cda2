#include "tarsier/text/wire_format.h"

#include <fmt/format.h>

#include <bit>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

enum Type { kVarint = 0, kEightBytes = 1, kBytes = 2, kFourBytes = 5 };

void write_varint(std::string& message, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    message.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80)));
  message.push_back(static_cast<char>(value));
}

}  // namespace

void WireReader::fail(const char* what) const {
  throw CheckpointError({where_, fmt::format("{} at byte {}", what, at_),
                         "the file is cut, or no SentencePiece model"});
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_ == bytes_.size()) fail("ends inside a number");
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    if (shift == 63 && byte > 1) break;
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  fail("has a number of over 64 bits");
}

std::uint64_t WireReader::fixed(std::size_t count) {
  if (bytes_.size() - at_ < count) fail("ends inside a number");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes_[at_ + i])} << (8 * i);
  at_ += count;
  return value;
}

std::optional<WireReader::Field> WireReader::next() {
  if (at_ == bytes_.size()) return std::nullopt;
  const std::uint64_t key = varint();
  Field field;
  field.number = key >> 3;
  field.type = static_cast<int>(key & 7);
  if (field.number == 0) fail("has a field 0");
  switch (field.type) {
    case kVarint:
      field.value = varint();
      return field;
    case kEightBytes:
      field.value = fixed(8);
      return field;
    case kFourBytes:
      field.value = fixed(4);
      return field;
    case kBytes: {
      const std::uint64_t size = varint();
      if (size > bytes_.size() - at_) fail("has a field that is longer than the file");
      field.payload = bytes_.substr(at_, size);
      at_ += size;
      return field;
    }
    default:
      fail("has a field of an unknown type");
  }
}

void WireReader::require(const Field& field, int type) const {
  if (field.type == type) return;
  throw CheckpointError({fmt::format("{}: field {}", where_, field.number),
                         fmt::format("has wire type {}, expected {}", field.type, type),
                         "the file is damaged, or no SentencePiece model"});
}

std::int64_t WireReader::as_int(const Field& field) const {
  require(field, kVarint);
  return static_cast<std::int64_t>(field.value);
}

float WireReader::as_float(const Field& field) const {
  require(field, kFourBytes);
  return std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
}

std::string_view WireReader::as_bytes(const Field& field) const {
  require(field, kBytes);
  return field.payload;
}

void write_int(std::string& message, std::uint64_t number, std::uint64_t value) {
  write_varint(message, number << 3 | kVarint);
  write_varint(message, value);
}

void write_float(std::string& message, std::uint64_t number, float value) {
  write_varint(message, number << 3 | kFourBytes);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8)
    message.push_back(static_cast<char>(static_cast<unsigned char>(bits >> shift & 0xFF)));
}

void write_bytes(std::string& message, std::uint64_t number, std::string_view value) {
  write_varint(message, number << 3 | kBytes);
  write_varint(message, value.size());
  message += value;
}

}  // namespace tarsier
