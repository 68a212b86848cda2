// The globals that a pickled tensor needs, and what they build.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/pickle_machine.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/tensor_name.h"

namespace tarsier {
namespace {

constexpr std::size_t kMaxGlobalBytes = 256, kMaxArguments = 7;

}  // namespace

// A function, or the type of a storage's elements.
struct PickleMachine::Global {
  std::string_view module, name;
  TensorFunction function;  // null for a type
  DType dtype;
};

const PickleMachine::Global PickleMachine::kGlobals[] = {
    {"torch._utils", "_rebuild_tensor_v2", &PickleMachine::rebuild_tensor, {}},
    {"torch._utils", "_rebuild_parameter", &PickleMachine::rebuild_parameter, {}},
    {"collections", "OrderedDict", &PickleMachine::make_ordered_dict, {}},
    {"torch", "FloatStorage", nullptr, DType::f32},
    {"torch", "BFloat16Storage", nullptr, DType::bf16},
    {"torch", "HalfStorage", nullptr, DType::f16},
    {"torch", "DoubleStorage", nullptr, DType::f64},
    {"torch", "LongStorage", nullptr, DType::i64},
    {"torch", "IntStorage", nullptr, DType::i32},
    {"torch", "ShortStorage", nullptr, DType::i16},
    {"torch", "CharStorage", nullptr, DType::i8},
    {"torch", "ByteStorage", nullptr, DType::u8},
    {"torch", "BoolStorage", nullptr, DType::boolean},
};

PickleId PickleMachine::find_global(std::string_view module, std::string_view name) {
  for (std::int64_t i = 0; i < std::ssize(kGlobals); ++i) {
    if (kGlobals[i].module == module && kGlobals[i].name == name)
      return add({PickleKind::global, i, {}, {}});
  }
  if (module.size() > kMaxGlobalBytes || name.size() > kMaxGlobalBytes)
    refuse("names a global of more bytes than any has");
  const std::string full = std::string(module) + "." + std::string(name);
  refuse_foreign(fmt::format("asks for {}, which no tensor needs",
                             is_utf8(full) ? shown_name(full) : "a global that is not UTF-8"));
}

PickleId PickleMachine::call(PickleId function, PickleId arguments) {
  if (values_[function].kind != PickleKind::global) refuse("calls a value that is no function");
  if (values_[arguments].kind != PickleKind::tuple)
    refuse("calls with arguments that are no tuple");
  const Global& global = kGlobals[static_cast<std::size_t>(values_[function].integer)];
  if (global.function == nullptr)
    refuse(fmt::format("calls {}.{}, which is a type", global.module, global.name));
  if (values_[arguments].items.size() > kMaxArguments) refuse("calls with too many arguments");
  const std::vector<PickleId> items = values_[arguments].items;  // calls add values
  return (this->*global.function)(items);
}

// ('storage', type, key, device, elements)
PickleId PickleMachine::load_storage(PickleId key) {
  const std::vector<PickleId>& parts = values_[key].items;
  const auto is = [&](std::size_t i, PickleKind kind) { return values_[parts[i]].kind == kind; };
  if (values_[key].kind != PickleKind::tuple || parts.size() != 5 || !is(0, PickleKind::text) ||
      values_[parts[0]].text != "storage" || !is(1, PickleKind::global) ||
      !is(2, PickleKind::text) || !is(4, PickleKind::integer))
    refuse("refers to something outside that is no storage");
  const Global& global = kGlobals[static_cast<std::size_t>(values_[parts[1]].integer)];
  if (global.function != nullptr)
    refuse(fmt::format("has a storage of type {}.{}", global.module, global.name));
  const std::string_view name = values_[parts[2]].text;
  const std::optional<std::span<const std::byte>> bytes = find_storage_(name);
  if (!bytes)
    refuse(fmt::format("needs the storage {}, which the archive lacks", shown_name(name)));
  std::int64_t needed = 0;
  if (__builtin_mul_overflow(values_[parts[4]].integer, bytes_of(global.dtype), &needed) ||
      needed != std::ssize(*bytes)) {
    refuse(fmt::format("says the storage {} has {} elements of {}, the archive has {} bytes of it",
                       shown_name(name), values_[parts[4]].integer, name_of(global.dtype),
                       bytes->size()));
  }
  if (std::ssize(storages_) >= kMaxTensorsPerFile)
    refuse(fmt::format("holds more than {} storages", kMaxTensorsPerFile));
  storages_.push_back({global.dtype, *bytes});
  return add({PickleKind::storage, std::ssize(storages_) - 1, {}, {}});
}

PickleId PickleMachine::make_ordered_dict(const std::vector<PickleId>& arguments) {
  if (!arguments.empty()) refuse("makes an OrderedDict with arguments");
  return add_container(PickleKind::dict, {});
}

// (storage, offset, sizes, strides, requires_grad, hooks[, metadata])
PickleId PickleMachine::rebuild_tensor(const std::vector<PickleId>& arguments) {
  if (arguments.size() < 6 || arguments.size() > 7 ||
      values_[arguments[0]].kind != PickleKind::storage ||
      values_[arguments[1]].kind != PickleKind::integer)
    refuse("makes a tensor of something else than a storage");
  require_empty_dict(arguments[5], "has a tensor with hooks");
  if (arguments.size() == 7 && values_[arguments[6]].kind != PickleKind::none)
    require_empty_dict(arguments[6], "has a tensor that is a conjugate or negative view");
  const PickledStorage& storage =
      storages_[static_cast<std::size_t>(values_[arguments[0]].integer)];
  const std::int64_t available = std::ssize(storage.bytes) / bytes_of(storage.dtype);
  const std::int64_t offset = values_[arguments[1]].integer;
  StridedTensor tensor{{}, storage.dtype, sizes_of(arguments[2]), sizes_of(arguments[3]), {}};
  if (tensor.shape.size() != tensor.strides.size())
    refuse("has a tensor with another number of strides than of sizes");

  std::int64_t elements = 1, last = offset;  // `last`: of the storage, that the tensor reaches
  bool overflows = false, is_empty = false;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    std::int64_t reach = 0;
    is_empty = is_empty || tensor.shape[i] == 0;
    overflows = overflows || __builtin_mul_overflow(elements, tensor.shape[i], &elements) ||
                __builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &reach) ||
                __builtin_add_overflow(last, reach, &last);
  }
  if (overflows || offset < 0 || (is_empty ? offset > available : last >= available)) {
    refuse(fmt::format("has a tensor [{}] with strides [{}] from element {} of a storage of {}",
                       fmt::join(tensor.shape, ", "), fmt::join(tensor.strides, ", "), offset,
                       available));
  }
  if (!is_empty && elements > available)
    refuse(fmt::format("has a tensor of {} elements in a storage of {}", elements, available));
  tensor.storage =
      storage.bytes.subspan(static_cast<std::size_t>(offset * bytes_of(storage.dtype)));
  if (std::ssize(tensors_) >= kMaxTensorsPerFile)
    refuse(fmt::format("holds more than {} tensors", kMaxTensorsPerFile));
  tensors_.push_back(std::move(tensor));
  return add({PickleKind::tensor, std::ssize(tensors_) - 1, {}, {}});
}

// (tensor, requires_grad, hooks)
PickleId PickleMachine::rebuild_parameter(const std::vector<PickleId>& arguments) {
  if (arguments.size() != 3 || values_[arguments[0]].kind != PickleKind::tensor)
    refuse("makes a parameter of something else than a tensor");
  require_empty_dict(arguments[2], "has a parameter with hooks");
  return arguments[0];
}

std::vector<std::int64_t> PickleMachine::sizes_of(PickleId tuple) const {
  if (values_[tuple].kind != PickleKind::tuple) refuse("has a tensor without sizes or strides");
  const std::vector<PickleId>& items = values_[tuple].items;
  if (std::ssize(items) > kMaxTensorRank)
    refuse(fmt::format("has a tensor of {} dimensions, the limit is {}", items.size(),
                       kMaxTensorRank));
  std::vector<std::int64_t> sizes;
  for (const PickleId id : items) {
    const PickleValue& value = values_[id];
    if (value.kind != PickleKind::integer || value.integer < 0)
      refuse("has a tensor with a size or stride that is no count");
    sizes.push_back(value.integer);
  }
  return sizes;
}

void PickleMachine::require_empty_dict(PickleId id, const char* what) const {
  const PickleValue& value = values_[id];
  if (value.kind != PickleKind::dict || !value.items.empty()) refuse(what);
}

}  // namespace tarsier
