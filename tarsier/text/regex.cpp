#include "tarsier/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using MatchData = std::unique_ptr<pcre2_match_data, Releaser<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Releaser<pcre2_match_context_free>>;

constexpr std::uint32_t kDepthLimit = 10'000;
constexpr std::uint32_t kHeapLimitKibibytes = 64 << 10;

// Each match may try a fixed number of steps and a few for every byte: enough for any linear scan,
// and no more.
std::uint32_t match_limit(std::size_t bytes) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(1'000'000 + 8 * bytes, std::numeric_limits<std::uint32_t>::max()));
}

// PCRE2 counts U+180E as `\s`; Unicode, and so the library the files are written for, does not.
std::string with_unicode_white_space(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char next = pattern[++i];
    if (next == 's') {
      out += "\\p{White_Space}";
    } else if (next == 'S') {
      out += "\\P{White_Space}";
    } else {
      out += '\\';
      out += next;
    }
  }
  return out;
}

// What one matching works in, with its limits set.
struct Match {
  Match(const std::string& where, std::size_t bytes) {
    if (!data || !context)
      throw ResourceError({where, "no memory for matching", "free some memory"});
    pcre2_set_match_limit(context.get(), match_limit(bytes));
    pcre2_set_depth_limit(context.get(), kDepthLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimitKibibytes);
  }
  MatchData data{pcre2_match_data_create(1, nullptr)};
  MatchContext context{pcre2_match_context_create(nullptr)};
};

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Releaser<pcre2_code_free>> compiled;
};

Regex::Regex(std::string_view pattern, const std::string& where) : where_(where) {
  const std::string translated = with_unicode_white_space(pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  Code code{
      {pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                     PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr),
       {}}};
  if (!code.compiled) {
    throw CheckpointError({where,
                           fmt::format("is not a regular expression ({})", message_of(error)),
                           "patterns are in Oniguruma or PCRE syntax"});
  }
  pcre2_jit_compile(code.compiled.get(),
                    PCRE2_JIT_COMPLETE);  // without it the interpreter runs, only slower
  code_ = std::make_unique<const Code>(std::move(code));
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::split(std::string_view utf8, const std::function<void(std::string_view)>& piece) const {
  const Match match(where_, utf8.size());
  const auto emit = [&](std::size_t begin, std::size_t end) {
    if (begin < end) piece(utf8.substr(begin, end - begin));
  };
  std::size_t done = 0;  // everything before it was emitted
  for (std::size_t at = 0; at <= utf8.size();) {
    const auto run = [&](std::uint32_t options) {
      return pcre2_match(code_->compiled.get(), reinterpret_cast<PCRE2_SPTR>(utf8.data()),
                         utf8.size(), at, PCRE2_NO_UTF_CHECK | options, match.data.get(),
                         match.context.get());
    };
    int result = run(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      throw InputError(
          {"text",
           fmt::format("cannot be split within the limits of {} ({})", where_, message_of(result)),
           "send shorter text, or check the pattern in that file"});
    }
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(match.data.get());
    const std::size_t begin = std::max(ends[0], done), end = std::max(ends[1], begin);
    emit(done, begin);
    emit(begin, end);
    done = end;
    at = end;
    if (ends[0] >= ends[1]) {  // an empty match cuts here; go on one character later
      ++at;
      while (at < utf8.size() && (static_cast<unsigned char>(utf8[at]) & 0xC0) == 0x80) ++at;
    }
  }
  emit(done, utf8.size());
}

bool Regex::matches_whole(std::string_view utf8) const {
  const Match match(where_, utf8.size());
  const int result =
      pcre2_match(code_->compiled.get(), reinterpret_cast<PCRE2_SPTR>(utf8.data()), utf8.size(), 0,
                  PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NO_JIT,
                  match.data.get(), match.context.get());
  if (result >= 0) return true;
  if (result == PCRE2_ERROR_NOMATCH) return false;
  throw CheckpointError(
      {where_, fmt::format("takes more steps than a name may need ({})", message_of(result)),
       "simplify the pattern"});
}

}  // namespace tarsier
