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
  save_weights(model, folder.path(), parse_dtype(recipe.export_dtype));
  folder.commit();
}

}  // namespace tarsier
