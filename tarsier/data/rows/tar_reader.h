#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {

/// One sample of a webdataset shard: members that stand together and share their name up to the
/// first dot of its last part.
struct TarSample {
  std::string key;                             // "000017"
  std::map<std::string, std::string> members;  // what follows the dot -> bytes: "mp4", "1.png"
};

/// Reads the samples of a tar file in order. A member that is damaged, cut short, over the limit or
/// without a name to group it by makes a problem, and its sample is left out: never half of one.
/// One thread. InputError: no such file.
class TarReader {
 public:
  static constexpr std::int64_t kMaxMemberBytes = std::int64_t{1} << 30;

  explicit TarReader(const std::filesystem::path& file);
  ~TarReader();
  TarReader(TarReader&&) noexcept;

  std::optional<TarSample> next();
  /// "train-000000.tar: 000017.mp4: what; hint", in order.
  const std::vector<ErrorNote>& problems() const { return problems_; }

 private:
  struct Archive;
  struct Member {
    std::string key, extension, bytes;
    bool whole = true;
  };
  std::optional<Member> next_member();
  void note(const std::string& member, std::string what, std::string hint);

  std::unique_ptr<Archive> archive_;
  std::string name_;
  std::optional<Member> ahead_;  // the first member of the sample to come
  std::vector<ErrorNote> problems_;
  bool at_end_ = false;
};

}  // namespace tarsier
