#include "tarsier/checkpoint/pickle.h"

#include <fmt/format.h>

#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/pickle_machine.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/tensor_name.h"
#include "tarsier/checkpoint/zip_members.h"

namespace tarsier {
namespace {

constexpr std::string_view kProgram = "/data.pkl";
constexpr std::string_view kInnerDicts[] = {"state_dict", "module", "model"};
constexpr int kMaxInnerDicts = 4;  // one inside another

// The archive's only folder, "archive" or the file's name.
std::string folder_of(const ZipMembers& members, const std::string& file_name) {
  std::optional<std::string> folder;
  for (const auto& [name, bytes] : members) {
    if (!name.ends_with(kProgram) || name.find('/') != name.size() - kProgram.size()) continue;
    if (folder) {
      throw CheckpointError({file_name, "has two data.pkl", "pass a file written by torch.save"});
    }
    folder = name.substr(0, name.size() - kProgram.size());
  }
  if (!folder) {
    throw CheckpointError(
        {file_name, "is a zip archive without data.pkl", "pass a file written by torch.save"});
  }
  return *folder;
}

void require_zip(std::span<const std::byte> file, const std::string& file_name) {
  if (file.size() >= 2 && file[0] == std::byte{0x80} && file[1] <= std::byte{5}) {
    throw CheckpointError({file_name, "is a bare pickle, which torch.save wrote before version 1.6",
                           "save it again by a newer torch"});
  }
}

void require_little_endian(const ZipMembers& members, const std::string& folder,
                           const std::string& file_name) {
  const auto order = members.find(folder + "/byteorder");
  if (order == members.end()) return;
  const std::string_view text(reinterpret_cast<const char*>(order->second.data()),
                              order->second.size());
  if (text != "little") {
    throw CheckpointError(
        {file_name + ": byteorder", "is not little", "save it again on a little-endian machine"});
  }
}

// Turns the pickled value into named tensors.
class Flattener {
 public:
  explicit Flattener(const PickleMachine& machine) : machine_(machine) {}

  PickledCheckpoint flatten(PickleId top) const {
    PickledCheckpoint out;
    PickleId dict = top;
    require_dict(dict);
    for (int depth = 0; depth < kMaxInnerDicts; ++depth) {
      const std::optional<PickleId> inner = inner_dict(dict, out.left_out);
      if (!inner) break;
      dict = *inner;
    }
    const std::vector<PickleId>& items = machine_.at(dict).items;
    for (std::size_t i = 0; i < items.size(); i += 2) take(items[i], items[i + 1], out);
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw CheckpointError(
        {machine_.where(), what, "save a dict of names and tensors: the model's state dict"});
  }

  void require_dict(PickleId id) const {
    if (machine_.at(id).kind != PickleKind::dict) refuse("holds no dict");
  }

  std::string_view key_text(PickleId key) const {
    if (machine_.at(key).kind != PickleKind::text) refuse("has a dict key that is no text");
    return machine_.at(key).text;
  }

  // The dict of the first of kInnerDicts; the other keys are added to `left_out`.
  std::optional<PickleId> inner_dict(PickleId dict, std::vector<std::string>& left_out) const {
    const std::vector<PickleId>& items = machine_.at(dict).items;
    std::optional<std::size_t> chosen;
    for (const std::string_view name : kInnerDicts) {
      for (std::size_t i = 0; i < items.size() && !chosen; i += 2) {
        if (key_text(items[i]) == name && machine_.at(items[i + 1]).kind == PickleKind::dict)
          chosen = i;
      }
    }
    if (!chosen) return std::nullopt;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (i == *chosen) continue;
      const std::string name = shown_name(key_text(items[i]));
      if (machine_.at(items[i + 1]).kind == PickleKind::tensor)
        refuse(fmt::format("has the tensor {} beside the dict {}", name, key_text(items[*chosen])));
      left_out.push_back(name);
    }
    return items[*chosen + 1];
  }

  void take(PickleId key, PickleId value, PickledCheckpoint& out) const {
    const std::string_view name = key_text(key);
    if (name.empty() || static_cast<std::int64_t>(name.size()) > kMaxTensorNameBytes ||
        name == "__metadata__" || name.find('\0') != std::string_view::npos)
      refuse(fmt::format("has a tensor with the name '{}'", shown_name(name)));
    if (machine_.at(value).kind != PickleKind::tensor)
      refuse(fmt::format("has {}, which is no tensor", shown_name(name)));
    StridedTensor tensor = machine_.tensor(machine_.at(value));
    tensor.name = name;
    if (!out.tensors.emplace(std::string(name), std::move(tensor)).second)
      refuse(fmt::format("has the tensor {} twice", shown_name(name)));
  }

  const PickleMachine& machine_;
};

MappedFile map_pickle(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw CheckpointError({path.filename().string(),
                           "is missing from " + path.parent_path().string(),
                           "download the model again, all of its files"});
  }
  return MappedFile(path);
}

}  // namespace

PickledCheckpoint parse_pickled_checkpoint(std::span<const std::byte> file,
                                           const std::string& file_name) {
  require_zip(file, file_name);
  const ZipMembers members = read_zip_members(file, file_name);
  const std::string folder = folder_of(members, file_name);
  require_little_endian(members, folder, file_name);
  const auto find = [&](std::string_view key) -> std::optional<std::span<const std::byte>> {
    const auto found = members.find(folder + "/data/" + std::string(key));
    if (found == members.end()) return std::nullopt;
    return found->second;
  };
  PickleMachine machine(members.find(folder + std::string(kProgram))->second,
                        file_name + ": data.pkl", find);
  return Flattener(machine).flatten(machine.run());
}

PickleFile::PickleFile(const std::filesystem::path& path)
    : file_(map_pickle(path)),
      content_(parse_pickled_checkpoint(file_.bytes(), path.filename().string())) {}

}  // namespace tarsier
