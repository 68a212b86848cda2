#include "tarsier/cli/failure.h"

#include <c10/util/Exception.h>

#include <filesystem>
#include <new>

#include "tarsier/base/error.h"
#include "tarsier/cli/command.h"

namespace tarsier {
namespace {

constexpr char kMemoryHint[] = "try fewer frames, a smaller model or --dtype bf16";
constexpr char kBugHint[] =
    "this is a bug of ours; please report it with the output of `tarsier doctor`";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// libtorch has no type of its own for a failed allocation on the CPU; its allocators say it in
// these words.
bool is_out_of_memory(const std::string& message) {
  return message.find("can't allocate memory") != std::string::npos ||
         message.find("not enough memory") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

Failure failure(const ErrorNote& note, int exit_code) { return {note.text(), exit_code}; }

Failure describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ConfigError& e) {
    return failure(e.note, kExitUsage);
  } catch (const CheckpointError& e) {
    return failure(e.note, kExitCheckpoint);
  } catch (const InputError& e) {
    return failure(e.note, kExitInput);
  } catch (const ResourceError& e) {
    return failure(e.note, kExitResource);
  } catch (const InternalError& e) {
    return failure(e.note, kExitBug);
  } catch (const std::bad_alloc&) {
    return failure({"memory", "not enough of it", kMemoryHint}, kExitResource);
  } catch (const c10::Error& e) {
    if (is_out_of_memory(e.msg()))
      return failure({"memory", first_line(e.msg()), kMemoryHint}, kExitResource);
    return failure({"libtorch", first_line(e.msg()), kBugHint}, kExitBug);
  } catch (const std::filesystem::filesystem_error& e) {
    return failure(
        {e.path1().string(), e.code().message(), "check that the disk has room and may be written"},
        kExitResource);
  } catch (const std::exception& e) {
    return failure({"tarsier", first_line(e.what()), kBugHint}, kExitBug);
  } catch (...) {
    return failure({"tarsier", "an unknown failure", kBugHint}, kExitBug);
  }
}

}  // namespace

Failure failure_of(const std::exception_ptr& error) noexcept {
  try {
    return describe(error);
  } catch (...) {  // no memory left even for the message
    return {{}, kExitResource};
  }
}

}  // namespace tarsier
