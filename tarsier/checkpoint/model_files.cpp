#include "tarsier/checkpoint/model_files.h"

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr const char* kModelFiles[] = {"config.json",
                                       "generation_config.json",
                                       "preprocessor_config.json",
                                       "video_preprocessor_config.json",
                                       "processor_config.json",
                                       "tokenizer.json",
                                       "tokenizer.model",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "chat_template.jinja",
                                       "chat_template.json"};

}  // namespace

void copy_model_files(const std::filesystem::path& from, const std::filesystem::path& to,
                      const std::filesystem::path& shown_as) {
  for (const char* name : kModelFiles) {
    std::error_code failure;
    if (!std::filesystem::exists(from / name, failure)) continue;
    std::filesystem::copy_file(from / name, to / name, failure);
    if (failure) {
      throw ResourceError({(shown_as / name).string(), "cannot be written: " + failure.message(),
                           "free disk space"});
    }
  }
}

}  // namespace tarsier
