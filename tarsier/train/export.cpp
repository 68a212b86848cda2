#include "tarsier/train/export.h"

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

constexpr const char* kModelFiles[] = {"config.json",
                                       "generation_config.json",
                                       "preprocessor_config.json",
                                       "video_preprocessor_config.json",
                                       "processor_config.json",
                                       "tokenizer.json",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "chat_template.jinja",
                                       "chat_template.json"};

}  // namespace

void export_model(VideoLanguageModel& model, const Recipe& recipe,
                  const std::filesystem::path& directory) {
  DirectoryCommit folder(directory, model.info().parameters * 4);
  for (const char* name : kModelFiles) {
    const std::filesystem::path source = recipe.model / name;
    std::error_code failure;
    if (std::filesystem::exists(source))
      std::filesystem::copy_file(source, folder.path() / name, failure);
    if (failure)
      throw ResourceError({(directory / name).string(), "cannot be written: " + failure.message(),
                           "free disk space"});
  }
  save_weights(model, folder.path(), parse_dtype(recipe.export_dtype));
  folder.commit();
}

}  // namespace tarsier
