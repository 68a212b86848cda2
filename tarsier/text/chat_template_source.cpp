#include "tarsier/text/chat_template_source.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string text;
  std::string origin;
};

constexpr std::size_t kMaxFileBytes = 256 << 10;

std::optional<Source> from_jinja_file(const fs::path& directory) {
  const fs::path path = directory / "chat_template.jinja";
  if (!fs::exists(path)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || !file.eof())
    throw CheckpointError(
        {path.string(), "cannot be read whole", "it must be a file of at most 256 KiB"});
  return Source{std::move(text), "chat_template.jinja"};
}

// The value of "chat_template": one template, or a list of {"name", "template"}.
std::optional<Source> from_json_file(const fs::path& directory, const std::string& name) {
  if (!fs::exists(directory / name)) return std::nullopt;
  const JsonView json = read_json(directory / name, JsonOwner::checkpoint);
  const auto value = json.find("chat_template");
  if (!value) return std::nullopt;
  const std::string origin = name + ": chat_template";
  if (value->is_string()) return Source{value->as_string(), origin};
  if (!value->is_array())
    value->fail("is neither a string nor a list of named templates", "check the file");
  for (std::int64_t i = 0; i < value->size(); ++i) {
    const JsonView entry = value->at(i);
    if (entry.at("name").as_string() == "default")
      return Source{entry.at("template").as_string(), origin + " (default)"};
  }
  value->fail("has no template named 'default'", "name one of them 'default'");
}

}  // namespace

// As published with Qwen2-VL (chat_template.json of Qwen/Qwen2-VL-7B-Instruct).
const std::string_view kQwen2VlChatTemplate =
    "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}"
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful "
    "assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n"
    "{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "{% set image_count.value = image_count.value + 1 %}"
    "{% if add_vision_id %}Picture {{ image_count.value }}: {% endif "
    "%}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif content['type'] == 'video' or 'video' in content %}"
    "{% set video_count.value = video_count.value + 1 %}"
    "{% if add_vision_id %}Video {{ video_count.value }}: {% endif "
    "%}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

FoundChatTemplate find_chat_template(const fs::path& directory, std::string_view family_default,
                                     std::string_view family_name) {
  std::optional<Source> source = from_jinja_file(directory);
  if (!source) source = from_json_file(directory, "chat_template.json");
  if (!source) source = from_json_file(directory, "tokenizer_config.json");
  if (source)
    return {ChatTemplate::parse(std::move(source->text), source->origin), source->origin, false};
  std::string origin = fmt::format("built-in: {}", family_name);
  return {ChatTemplate::parse(std::string(family_default), origin), origin, true};
}

}  // namespace tarsier
