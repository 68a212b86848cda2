// Any bytes either parse as JSON, and then every typed read answers or fails with an error that
// names the file, or are refused with such an error.
#include <cstdlib>
#include <string_view>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace {

template <class Read>
void attempt(Read&& read) {
  try {
    read();
  } catch (const tarsier::CheckpointError& error) {
    if (!error.note.where.starts_with("config.json")) std::abort();
  }
}

void visit(const tarsier::JsonView& view) {
  attempt([&] { view.as_int(); });
  attempt([&] { view.as_int(0, 4096); });
  attempt([&] { view.as_double(); });
  attempt([&] { view.as_bool(); });
  attempt([&] { view.as_string(); });
  attempt([&] { view.as_ints(); });
  attempt([&] { view.at("hidden_size"); });
  attempt([&] { view.at(0); });
  attempt([&] { view.int_or("depth", 32); });
  if (view.is_object()) {
    for (const std::string& key : view.keys()) visit(view.at(key));
  } else if (view.is_array()) {
    for (std::int64_t i = 0; i < view.size(); ++i) visit(view.at(i));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool comments : {false, true}) {
    attempt([&] {
      visit(tarsier::parse_json(text, "config.json", tarsier::JsonOwner::checkpoint, comments));
    });
  }
  return 0;
}
