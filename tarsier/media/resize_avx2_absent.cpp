#include "tarsier/media/resize_passes.h"

namespace tarsier {

ResizePasses fast_resize_passes() { return portable_resize_passes(); }

}  // namespace tarsier
