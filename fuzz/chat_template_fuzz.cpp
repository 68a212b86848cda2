// Any bytes as a chat template either render, to UTF-8 within the budget, or end in an error that
// names the template.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/text/chat_template.h"
#include "tarsier/text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const nlohmann::json variables = nlohmann::json::parse(R"({
    "messages": [{"role": "system", "content": "Be brief."},
                 {"role": "user", "content": [{"type": "video", "num_vision_tokens": 3}, {"type": "text", "text": " h\u00e9 "}]}],
    "add_generation_prompt": true, "n": 7, "f": 2.5, "nil": null, "words": ["x", "y"]})");
  constexpr tarsier::TemplateBudget kBudget{.steps = 20'000, .depth = 64, .output_bytes = 1 << 16};
  try {
    const auto chat_template = tarsier::ChatTemplate::parse(
        std::string(reinterpret_cast<const char*>(data), size), "t.jinja", kBudget);
    const std::string text = chat_template.render(variables);
    if (text.size() > 1 << 16 || tarsier::first_invalid_utf8(text)) std::abort();
  } catch (const tarsier::CheckpointError& error) {
    if (!error.note.where.starts_with("t.jinja")) std::abort();
  } catch (const tarsier::InputError& error) {  // raise_exception
    if (error.note.where != "t.jinja") std::abort();
  }
  return 0;
}
