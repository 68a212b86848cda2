#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/models/capabilities.h"
#include "tarsier/processors/conversation.h"

namespace tarsier {

/// How a description in one language comes about.
struct DescribePrompt {
  std::string language;     // as asked for: "zh"
  std::string text;         // what the model is asked about the picture
  bool translated = false;  // it answers in English, and is then asked to translate that
};

/// What to ask a model for a description of a video, image or sound in a language and style. A
/// model that knows words of its own says them in processor_config.json, {"describe_prompts":
/// {"zh":
/// {"detailed": "..."}}}, and has no other languages; the rest are asked in a language that their
/// family has, else in English, to be translated. ConfigError naming the flag for an unknown
/// language or style.
DescribePrompt describe_prompt(const std::filesystem::path& model_directory,
                               const Capabilities& family, const std::string& language,
                               const std::string& style, Modality modality);

/// The words that ask for the second step.
std::string translation_prompt(std::string_view language, std::string_view text);

}  // namespace tarsier
