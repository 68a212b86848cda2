#include "tarsier/cli/describe_prompt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {
namespace {

struct LanguageName {
  std::string_view code, name;
};

constexpr LanguageName kLanguages[] = {
    {"ar", "Arabic"},     {"de", "German"},     {"en", "English"},    {"es", "Spanish"},
    {"fr", "French"},     {"hi", "Hindi"},      {"id", "Indonesian"}, {"it", "Italian"},
    {"ja", "Japanese"},   {"ko", "Korean"},     {"nl", "Dutch"},      {"pl", "Polish"},
    {"pt", "Portuguese"}, {"ru", "Russian"},    {"th", "Thai"},       {"tr", "Turkish"},
    {"uk", "Ukrainian"},  {"vi", "Vietnamese"}, {"zh", "Chinese"},
};

/// The instructions that Tarsier and Qwen2-VL were trained with, and their like.
struct Words {
  std::string_view language, style, video, image, sound;
};

constexpr Words kWords[] = {
    {"en", "detailed", "Describe the video in detail.", "Describe the image in detail.",
     "Describe the sound in detail."},
    {"en", "brief", "Describe the video in one sentence.", "Describe the image in one sentence.",
     "Describe the sound in one sentence."},
    {"zh", "detailed", "请详细描述这个视频。", "请详细描述这张图片。", "请详细描述这段音频。"},
    {"zh", "brief", "请用一句话描述这个视频。", "请用一句话描述这张图片。",
     "请用一句话描述这段音频。"},
};

std::optional<std::string> words_for(std::string_view language, std::string_view style,
                                     Modality modality) {
  for (const Words& each : kWords) {
    if (each.language == language && each.style == style)
      return std::string(modality == Modality::image   ? each.image
                         : modality == Modality::audio ? each.sound
                                                       : each.video);
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const char* flag, const std::string& value, const std::string& known) {
  throw ConfigError(
      {flag, fmt::format("'{}' is not one of this model's", value), "it has " + known});
}

/// The model's own words, where it has any.
std::optional<JsonView> own_prompts(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "processor_config.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  return read_json(file, JsonOwner::checkpoint).find("describe_prompts");
}

}  // namespace

DescribePrompt describe_prompt(const std::filesystem::path& model_directory,
                               const Capabilities& family, const std::string& language,
                               const std::string& style, Modality modality) {
  if (const auto own = own_prompts(model_directory)) {
    const auto styles = own->find(language);
    if (!styles) refuse("--lang", language, fmt::format("{}", fmt::join(own->keys(), ", ")));
    const auto text = styles->find(style);
    if (!text) refuse("--style", style, fmt::format("{}", fmt::join(styles->keys(), ", ")));
    return {language, text->as_string(), false};
  }
  if (!words_for("en", style, modality)) refuse("--style", style, "detailed, brief");
  if (std::ranges::find(kLanguages, language, &LanguageName::code) == std::end(kLanguages)) {
    std::vector<std::string_view> codes;
    for (const LanguageName& each : kLanguages) codes.push_back(each.code);
    refuse("--lang", language, fmt::format("{}", fmt::join(codes, ", ")));
  }
  const bool native = family.languages.find(language) != std::string_view::npos;
  if (native) {
    if (const auto text = words_for(language, style, modality)) return {language, *text, false};
  }
  return {language, *words_for("en", style, modality), true};
}

std::string translation_prompt(std::string_view language, std::string_view text) {
  const auto* found = std::ranges::find(kLanguages, language, &LanguageName::code);
  check(found != std::end(kLanguages), "a language was looked up before");
  return fmt::format("Translate into {}. Give the translation alone.\n\n{}", found->name, text);
}

}  // namespace tarsier
