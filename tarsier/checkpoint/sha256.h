#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace tarsier {

/// SHA-256 over bytes given in pieces. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  std::string finish_hex();  // 64 lower-case digits; call once, last

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

/// Of a whole file, read in pieces. ResourceError naming the file when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace tarsier
