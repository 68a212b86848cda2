#include "tarsier/checkpoint/pickle_machine.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/pickle_opcodes.h"
#include "tarsier/checkpoint/tensor_name.h"

namespace tarsier {
namespace {

using namespace pickle_opcodes;

constexpr char kDamaged[] = "the file is damaged; download it again";

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> program, std::string where,
                             FindStorage find_storage)
    : program_(program), where_(std::move(where)), find_storage_(std::move(find_storage)) {
  if (static_cast<std::int64_t>(program.size()) > kMaxPickleBytes) {
    throw CheckpointError(
        {where_, fmt::format("has {} bytes, the limit is {}", program.size(), kMaxPickleBytes),
         "a file of weights needs far less"});
  }
}

PickleId PickleMachine::run() {
  for (;;) {
    opcode_at_ = next_;
    const auto opcode = static_cast<unsigned char>(take_number(1));
    if (opcode == kStop) break;
    step(opcode);
  }
  if (!marks_.empty() || stack_.size() != 1) refuse("does not end with one value");
  return stack_.back();
}

const StridedTensor& PickleMachine::tensor(const PickleValue& value) const {
  check(value.kind == PickleKind::tensor, "a tensor is asked of a tensor's value");
  return tensors_[static_cast<std::size_t>(value.integer)];
}

void PickleMachine::step(unsigned char opcode) {
  switch (opcode) {
    case kProto:
      if (take_number(1) > 5) refuse("is of a pickle protocol newer than 5");
      return;
    case kNone:
      return push(add({}));
    case kBinUnicode:
      return push(add({PickleKind::text, 0, take_text(take_number(4)), {}}));
    case kGlobal: {
      const std::string_view module = take_line(), name = take_line();
      return push(find_global(module, name));
    }
    case kBinPersId:
      return push(load_storage(pop()));
    case kReduce: {
      const PickleId arguments = pop(), function = pop();
      return push(call(function, arguments));
    }
    case kBinPut:
      return remember(take_number(1));
    case kLongBinPut:
      return remember(take_number(4));
    case kBinGet:
      return recall(take_number(1));
    case kLongBinGet:
      return recall(take_number(4));
    default:
      if (!push_number(opcode)) step_in_container(opcode);
  }
}

bool PickleMachine::push_number(unsigned char opcode) {
  PickleValue value{PickleKind::integer, 0, {}, {}};
  switch (opcode) {
    case kNewTrue:
    case kNewFalse:
      value.kind = PickleKind::boolean;
      value.integer = opcode == kNewTrue;
      break;
    case kBinInt:
      value.integer = static_cast<std::int32_t>(take_number(4));
      break;
    case kBinInt1:
      value.integer = static_cast<std::int64_t>(take_number(1));
      break;
    case kBinInt2:
      value.integer = static_cast<std::int64_t>(take_number(2));
      break;
    case kBinFloat:  // no tensor depends on one
      value.kind = PickleKind::real;
      take_number(8);
      break;
    case kLong1: {
      const std::size_t bytes = take_number(1);
      if (bytes > 8) refuse("has an integer of more than 64 bits");
      std::uint64_t bits = take_number(bytes);
      if (bytes > 0 && bytes < 8 && (bits >> (8 * bytes - 1)) != 0) bits |= ~0ULL << (8 * bytes);
      value.integer = static_cast<std::int64_t>(bits);
      break;
    }
    default:
      return false;
  }
  push(add(std::move(value)));
  return true;
}

void PickleMachine::step_in_container(unsigned char opcode) {
  switch (opcode) {
    case kMark:
      marks_.push_back(stack_.size());
      return;
    case kEmptyDict:
      return push(add_container(PickleKind::dict, {}));
    case kEmptyList:
      return push(add_container(PickleKind::list, {}));
    case kEmptyTuple:
      return push(add_container(PickleKind::tuple, {}));
    case kTuple:
      return push(add_container(PickleKind::tuple, pop_to_mark()));
    case kTuple1:
    case kTuple2:
    case kTuple3: {
      std::vector<PickleId> items(opcode - kTuple1 + 1U);
      for (std::size_t i = items.size(); i > 0; --i) items[i - 1] = pop();
      return push(add_container(PickleKind::tuple, std::move(items)));
    }
    case kAppend:
    case kAppends: {
      const std::vector<PickleId> items = opcode == kAppend ? std::vector{pop()} : pop_to_mark();
      std::vector<PickleId>& list = values_[top_of(PickleKind::list)].items;
      list.insert(list.end(), items.begin(), items.end());
      return;
    }
    case kSetItem:
    case kSetItems: {
      std::vector<PickleId> items;
      if (opcode == kSetItem) {
        const PickleId value = pop(), key = pop();
        items = {key, value};
      } else {
        items = pop_to_mark();
      }
      if (items.size() % 2 != 0) refuse("gives a dict a key without a value");
      std::vector<PickleId>& dict = values_[top_of(PickleKind::dict)].items;
      dict.insert(dict.end(), items.begin(), items.end());
      return;
    }
    case kBuild: {  // attributes of an OrderedDict: state_dict()'s _metadata, which no weight needs
      const PickleId state = pop();
      if (values_[state].kind != PickleKind::dict) refuse("sets attributes that are no dict");
      top_of(PickleKind::dict);
      return;
    }
    default:
      refuse_foreign(fmt::format("uses the opcode {}, which no tensor needs", name_of(opcode)));
  }
}

std::uint64_t PickleMachine::take_number(std::size_t bytes) {
  if (program_.size() - next_ < bytes) refuse("is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value |= std::to_integer<std::uint64_t>(program_[next_ + i]) << (8 * i);
  next_ += bytes;
  return value;
}

std::string_view PickleMachine::take_text(std::uint64_t bytes) {
  if (program_.size() - next_ < bytes) refuse("is cut inside a text");
  const std::string_view text(reinterpret_cast<const char*>(program_.data()) + next_, bytes);
  next_ += bytes;
  if (!is_utf8(text)) refuse("has a text that is not UTF-8");
  return text;
}

std::string_view PickleMachine::take_line() {
  const std::string_view rest(reinterpret_cast<const char*>(program_.data()) + next_,
                              program_.size() - next_);
  const std::size_t length = rest.find('\n');
  if (length == std::string_view::npos) refuse("is cut inside a name");
  next_ += length + 1;
  return rest.substr(0, length);
}

PickleId PickleMachine::add(PickleValue value) {
  if (static_cast<std::int64_t>(values_.size()) >= kMaxPickleValues)
    refuse(fmt::format("holds more than {} values", kMaxPickleValues));
  values_.push_back(std::move(value));
  return static_cast<PickleId>(values_.size() - 1);
}

PickleId PickleMachine::add_container(PickleKind kind, std::vector<PickleId> items) {
  return add({kind, 0, {}, std::move(items)});
}

PickleId PickleMachine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
    refuse("takes a value where there is none");
  const PickleId id = stack_.back();
  stack_.pop_back();
  return id;
}

std::vector<PickleId> PickleMachine::pop_to_mark() {
  if (marks_.empty()) refuse("ends a container that it did not begin");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleId> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

PickleId PickleMachine::top_of(PickleKind kind) {
  const PickleId id = pop();
  if (values_[id].kind != kind) refuse("adds to a value that is no container of that kind");
  push(id);
  return id;
}

void PickleMachine::remember(std::uint64_t slot) {
  const PickleId id = pop();
  push(id);
  memo_[slot] = id;
}

void PickleMachine::recall(std::uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) refuse("recalls a value that it did not store");
  push(found->second);
}

void PickleMachine::refuse(std::string what) const {
  throw CheckpointError(
      {fmt::format("{}: byte {}", where_, opcode_at_), std::move(what), kDamaged});
}

void PickleMachine::refuse_foreign(std::string what) const {
  throw CheckpointError(
      {fmt::format("{}: byte {}", where_, opcode_at_), std::move(what),
       "only tensors are read, and nothing is run; save the state dict alone by torch.save"});
}

}  // namespace tarsier
