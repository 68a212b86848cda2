#include "tarsier/cli/failure.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <new>

#include "tarsier/base/error.h"
#include "tarsier/cli/command.h"

namespace tarsier {
namespace {

template <class E>
Failure failure_from(E error) {
  return failure_of(std::make_exception_ptr(std::move(error)));
}

TEST(Failure, OursByType) {
  const ErrorNote note{"where", "what", "hint"};
  EXPECT_EQ(failure_from(ConfigError(note)).exit_code, 2);
  EXPECT_EQ(failure_from(CheckpointError(note)).exit_code, 4);
  EXPECT_EQ(failure_from(InputError(note)).exit_code, 5);
  EXPECT_EQ(failure_from(ResourceError(note)).exit_code, 6);
  EXPECT_EQ(failure_from(InternalError(note)).exit_code, 70);
  EXPECT_EQ(failure_from(InputError(note)).line, "where: what; hint");
}

TEST(Failure, MemoryIsAResource) {
  EXPECT_EQ(failure_from(std::bad_alloc()).exit_code, 6);
  EXPECT_EQ(failure_from(std::bad_alloc()).line,
            "memory: not enough of it; try fewer frames, a smaller model or --dtype bf16");
  const c10::Error refused(
      {__func__, __FILE__, __LINE__},
      "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.\nmore");
  EXPECT_EQ(failure_from(refused).exit_code, 6);
  EXPECT_EQ(failure_from(refused).line.find('\n'), std::string::npos);
}

TEST(Failure, LibtorchOtherwiseIsABugOfOurs) {
  const c10::Error shapes({__func__, __FILE__, __LINE__}, "shapes cannot be multiplied\nbacktrace");
  EXPECT_EQ(failure_from(shapes).exit_code, 70);
  EXPECT_EQ(failure_from(shapes).line.rfind(
                "libtorch: shapes cannot be multiplied; this is a bug of ours", 0),
            0u);
}

TEST(Failure, FileSystem) {
  const std::filesystem::filesystem_error full("", "/some/file",
                                               std::make_error_code(std::errc::no_space_on_device));
  EXPECT_EQ(failure_from(full).exit_code, 6);
  EXPECT_EQ(failure_from(full).line,
            "/some/file: No space left on device; check that the disk has room and may be written");
}

TEST(Failure, AnythingElseIsABugOfOurs) {
  EXPECT_EQ(failure_from(std::runtime_error("odd")).exit_code, 70);
  EXPECT_EQ(failure_from(17).exit_code, 70);
}

}  // namespace
}  // namespace tarsier
