#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// Where a member's bytes lie in its shard.
struct TarMember {
  std::string name;
  std::int64_t offset = 0, bytes = 0;
};

/// What a finished shard holds.
struct TarSummary {
  std::int64_t bytes = 0;
  std::string sha256;
  std::vector<TarMember> members;
};

/// Writes one tar file that appears whole, at finish(), or not at all: POSIX ustar, pax for long
/// names. The bytes are a function of names and contents alone: no times, no owners. ResourceError
/// when the disk refuses. One thread.
class TarWriter {
 public:
  explicit TarWriter(const std::filesystem::path& file);
  ~TarWriter();
  TarWriter(TarWriter&&) noexcept;
  TarWriter& operator=(TarWriter&&) noexcept;

  void add(const std::string& name, std::string_view bytes);
  std::int64_t bytes() const;  // so far
  TarSummary finish();

 private:
  struct Output;
  std::unique_ptr<Output> output_;
};

}  // namespace tarsier
