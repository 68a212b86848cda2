#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tarsier/checkpoint/pickle_values.h"

namespace tarsier {

constexpr std::int64_t kMaxPickleBytes = 64 << 20;
constexpr std::int64_t kMaxPickleValues = 8'000'000;

/// Reads the pickle of a torch.save archive: the opcodes that numbers, texts, containers and
/// tensors are made of, and the functions of pickle_torch.cpp's table. Nothing is executed. Source:
/// Lib/pickletools.py of CPython 3.11, torch/_weights_only_unpickler.py of torch 2.11.
class PickleMachine {
 public:
  /// The bytes of the storage with that key, nullopt when the archive has none.
  using FindStorage =
      std::function<std::optional<std::span<const std::byte>>(std::string_view key)>;

  /// `where` begins every message. The program must outlive the machine.
  PickleMachine(std::span<const std::byte> program, std::string where, FindStorage find_storage);

  /// The pickled value. CheckpointError naming what is not accepted and the byte it stands at.
  PickleId run();

  const PickleValue& at(PickleId id) const { return values_[id]; }
  const StridedTensor& tensor(const PickleValue& value) const;  // of kind tensor; nameless
  const std::string& where() const { return where_; }

 private:
  using TensorFunction = PickleId (PickleMachine::*)(const std::vector<PickleId>& arguments);
  struct Global;
  static const Global kGlobals[];

  // pickle_machine.cpp
  void step(unsigned char opcode);
  void step_in_container(unsigned char opcode);
  bool push_number(unsigned char opcode);
  std::uint64_t take_number(std::size_t bytes);
  std::string_view take_text(std::uint64_t bytes);
  std::string_view take_line();
  PickleId add(PickleValue value);
  PickleId add_container(PickleKind kind, std::vector<PickleId> items);
  void push(PickleId id) { stack_.push_back(id); }
  PickleId pop();
  std::vector<PickleId> pop_to_mark();
  PickleId top_of(PickleKind kind);
  void remember(std::uint64_t slot);
  void recall(std::uint64_t slot);
  [[noreturn]] void refuse(std::string what) const;
  [[noreturn]] void refuse_foreign(std::string what) const;

  // pickle_torch.cpp
  PickleId find_global(std::string_view module, std::string_view name);
  PickleId call(PickleId function, PickleId arguments);
  PickleId load_storage(PickleId key);
  PickleId make_ordered_dict(const std::vector<PickleId>& arguments);
  PickleId rebuild_tensor(const std::vector<PickleId>& arguments);
  PickleId rebuild_parameter(const std::vector<PickleId>& arguments);
  std::vector<std::int64_t> sizes_of(PickleId tuple) const;
  void require_empty_dict(PickleId id, const char* what) const;

  std::span<const std::byte> program_;
  std::string where_;
  FindStorage find_storage_;
  std::size_t next_ = 0;       // the byte to read
  std::size_t opcode_at_ = 0;  // where the running opcode stands
  std::vector<PickleValue> values_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint64_t, PickleId> memo_;
  std::vector<PickledStorage> storages_;
  std::vector<StridedTensor> tensors_;
};

}  // namespace tarsier
