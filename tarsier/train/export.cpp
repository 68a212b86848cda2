#include "tarsier/train/export.h"

#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/model_files.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"

namespace tarsier {

void export_model(VideoLanguageModel& model, const Recipe& recipe,
                  const std::filesystem::path& directory) {
  DirectoryCommit folder(directory, model.info().parameters * 4);
  copy_model_files(recipe.model, folder.path(), directory);
  std::shared_ptr<VideoLanguageModel> whole;
  if (recipe.adapter && recipe.adapter->int8_base) {
    LoadOptions options;
    options.random_weights = recipe.random_weights;
    whole = load_model(recipe.model, options);
  }
  save_weights(model, folder.path(), parse_dtype(recipe.export_dtype), whole.get());
  folder.commit();
}

}  // namespace tarsier
