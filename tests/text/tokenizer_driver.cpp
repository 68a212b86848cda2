// Runs a tokenizer for tools/tokenizer_check.py, which compares it with the Python libraries.
//
// usage: tokenizer_driver MODEL_DIRECTORY <requests >answers
//
// A request is one byte, a size in bytes (u32, little-endian as all numbers here) and so many
// bytes:
//   e  text -> ids           t  text -> ids, special tokens as text      b  text -> ids with what
//   goes around them d  ids (u32) -> text without special tokens                          D  ids
//   (u32) -> text
// An answer is a size in bytes and so many bytes; the size 0xFFFFFFFF stands for an InputError.
#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/text/tokenizer.h"

namespace {

using Ids = std::vector<std::int64_t>;

std::string packed(const Ids& ids) {
  std::string bytes(ids.size() * 4, '\0');
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<std::uint32_t>(ids[i]);
    std::memcpy(bytes.data() + 4 * i, &id, 4);
  }
  return bytes;
}

Ids unpacked(const std::string& bytes) {
  Ids ids(bytes.size() / 4);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::uint32_t id = 0;
    std::memcpy(&id, bytes.data() + 4 * i, 4);
    ids[i] = id;
  }
  return ids;
}

std::string answer(const tarsier::Tokenizer& tokenizer, char kind, const std::string& payload) {
  switch (kind) {
    case 'e':
      return packed(tokenizer.encode(payload));
    case 't':
      return packed(tokenizer.encode_as_text(payload));
    case 'b':
      return packed(tokenizer.with_sequence_tokens(tokenizer.encode(payload)));
    default:
      return tokenizer.decode(unpacked(payload), kind == 'd');
  }
}

void write_size(std::uint32_t size) { std::cout.write(reinterpret_cast<const char*>(&size), 4); }

void serve(const tarsier::Tokenizer& tokenizer) {
  for (char kind = 0; std::cin.get(kind);) {
    std::uint32_t size = 0;
    std::cin.read(reinterpret_cast<char*>(&size), 4);
    std::string payload(size, '\0');
    std::cin.read(payload.data(), size);
    try {
      const std::string bytes = answer(tokenizer, kind, payload);
      write_size(static_cast<std::uint32_t>(bytes.size()));
      std::cout << bytes;
    } catch (const tarsier::InputError&) {
      write_size(UINT32_MAX);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: tokenizer_driver MODEL_DIRECTORY <requests >answers\n";
    return 2;
  }
  try {
    serve(*tarsier::Tokenizer::load(arguments[1]));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 4;
  }
  std::cout.flush();
  return std::cout ? 0 : 1;
}
