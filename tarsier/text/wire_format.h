#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarsier {

/// Reads the fields of one protobuf message from bytes that may be anything. Every failure is a
/// CheckpointError naming `where` and the byte.
class WireReader {
 public:
  WireReader(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  struct Field {
    std::uint64_t number = 0;
    int type = 0;              // 0 varint, 1 eight bytes, 2 bytes with their length, 5 four bytes
    std::uint64_t value = 0;   // of types 0, 1 and 5
    std::string_view payload;  // of type 2
  };

  /// The next field, nullopt at the end.
  std::optional<Field> next();

  /// The field's value, which must be of the type named.
  std::int64_t as_int(const Field& field) const;
  bool as_bool(const Field& field) const { return as_int(field) != 0; }
  float as_float(const Field& field) const;
  std::string_view as_bytes(const Field& field) const;

 private:
  [[noreturn]] void fail(const char* what) const;
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t bytes);
  void require(const Field& field, int type) const;

  std::string_view bytes_;
  std::string where_;
  std::size_t at_ = 0;
};

/// Appends fields to a message.
void write_int(std::string& message, std::uint64_t number, std::uint64_t value);
void write_float(std::string& message, std::uint64_t number, float value);
void write_bytes(std::string& message, std::uint64_t number, std::string_view value);

}  // namespace tarsier
