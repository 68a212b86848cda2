#include "tarsier/base/json.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr int kMaxDepth = 64;

// nlohmann keeps the last of two equal keys in silence; a parser callback sees both.
class Strictness {
 public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth) too_deep = true;
    if (event == Event::object_start) {
      keys_.emplace_back();
    } else if (event == Event::object_end) {
      keys_.pop_back();
    } else if (event == Event::key) {
      if (!keys_.back().insert(parsed.get<std::string>()).second && duplicate.empty()) {
        duplicate = parsed.get<std::string>();
      }
    }
    return true;
  }
  std::string duplicate;
  bool too_deep = false;

 private:
  std::vector<std::set<std::string>> keys_;
};

// Recursion in the parser's destructor and in ours is bounded by refusing depth before parsing.
bool deeper_than(std::string_view text, int limit) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// JSONC allows a comma before a closing bracket; nlohmann does not. Strings and comments are kept
// as they are.
std::string without_trailing_commas(std::string_view text) {
  std::string out(text);
  std::size_t comma = std::string::npos;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char c = out[i];
    if (c == '"') {
      for (++i; i < out.size() && out[i] != '"'; ++i) {
        if (out[i] == '\\') ++i;
      }
      comma = std::string::npos;
    } else if (c == '/' && i + 1 < out.size() && out[i + 1] == '/') {
      while (i < out.size() && out[i] != '\n') ++i;
    } else if (c == '/' && i + 1 < out.size() && out[i + 1] == '*') {
      const std::size_t end = out.find("*/", i + 2);
      i = end == std::string::npos ? out.size() : end + 1;
    } else if (c == ',') {
      comma = i;
    } else if ((c == ']' || c == '}') && comma != std::string::npos) {
      out[comma] = ' ';
      comma = std::string::npos;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      comma = std::string::npos;
    }
  }
  return out;
}

const char* kind_of(const nlohmann::json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "a boolean";
  if (value.is_number_integer()) return "an integer";
  if (value.is_number()) return "a number";
  return "null";
}

}  // namespace

void throw_for(JsonOwner owner, std::string where, std::string what, std::string hint) {
  ErrorNote note{std::move(where), std::move(what), std::move(hint)};
  switch (owner) {
    case JsonOwner::config:
      throw ConfigError(std::move(note));
    case JsonOwner::checkpoint:
      throw CheckpointError(std::move(note));
    case JsonOwner::input:
      throw InputError(std::move(note));
  }
  throw_broken_promise("JsonOwner has three values");
}

JsonView::JsonView(std::shared_ptr<const nlohmann::json> document, std::string file,
                   JsonOwner owner)
    : document_(std::move(document)),
      value_(document_.get()),
      file_(std::move(file)),
      owner_(owner) {}

JsonView::JsonView(const JsonView& parent, const nlohmann::json* value, std::string path)
    : document_(parent.document_),
      value_(value),
      file_(parent.file_),
      path_(std::move(path)),
      owner_(parent.owner_) {}

void JsonView::fail(std::string what, std::string hint) const {
  throw_for(owner_, path_.empty() ? file_ : file_ + ": " + path_, std::move(what), std::move(hint));
}

bool JsonView::has(std::string_view key) const {
  if (!value_->is_object()) return false;
  const auto found = value_->find(std::string(key));
  return found != value_->end() && !found->is_null();
}

JsonView JsonView::at(std::string_view key) const {
  std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  if (!value_->is_object())
    fail(fmt::format("is {}, expected an object with '{}'", kind_of(*value_), key),
         "check the file");
  const auto found = value_->find(std::string(key));
  if (found == value_->end()) {
    throw_for(owner_, file_ + ": " + path, "is missing", "the file may be cut or of another kind");
  }
  return JsonView(*this, &*found, std::move(path));
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return at(key);
}

JsonView JsonView::at(std::int64_t index) const {
  if (!value_->is_array())
    fail(fmt::format("is {}, expected an array", kind_of(*value_)), "check the file");
  if (index < 0 || index >= size())
    fail(fmt::format("has {} entries, expected more than {}", size(), index), "check the file");
  return JsonView(*this, &(*value_)[static_cast<std::size_t>(index)],
                  fmt::format("{}[{}]", path_, index));
}

std::int64_t JsonView::size() const { return static_cast<std::int64_t>(value_->size()); }

std::vector<std::string> JsonView::keys() const {
  if (!value_->is_object())
    fail(fmt::format("is {}, expected an object", kind_of(*value_)), "check the file");
  std::vector<std::string> names;
  for (const auto& [key, unused] : value_->items()) names.push_back(key);
  return names;
}

bool JsonView::is_object() const { return value_->is_object(); }
bool JsonView::is_array() const { return value_->is_array(); }
bool JsonView::is_string() const { return value_->is_string(); }
bool JsonView::is_number() const { return value_->is_number(); }
bool JsonView::is_integer() const { return value_->is_number_integer(); }
bool JsonView::is_bool() const { return value_->is_boolean(); }
bool JsonView::is_null() const { return value_->is_null(); }

std::int64_t JsonView::as_int() const {
  if (!value_->is_number_integer())
    fail(fmt::format("is {}, expected an integer", kind_of(*value_)), "give a whole number");
  if (value_->is_number_unsigned() &&
      value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    fail("is too large for a 64-bit integer", "give a smaller number");
  }
  return value_->get<std::int64_t>();
}

std::int64_t JsonView::as_int(std::int64_t low, std::int64_t high) const {
  const std::int64_t value = as_int();
  if (value < low || value > high)
    fail(fmt::format("is {}, expected {} to {}", value, low, high), "give a number in that range");
  return value;
}

double JsonView::as_double() const {
  if (!value_->is_number())
    fail(fmt::format("is {}, expected a number", kind_of(*value_)), "give a number");
  const double value = value_->get<double>();
  if (!std::isfinite(value)) fail("is not finite", "give a finite number");
  return value;
}

bool JsonView::as_bool() const {
  if (!value_->is_boolean())
    fail(fmt::format("is {}, expected true or false", kind_of(*value_)), "give true or false");
  return value_->get<bool>();
}

const std::string& JsonView::as_string() const {
  if (!value_->is_string())
    fail(fmt::format("is {}, expected a string", kind_of(*value_)), "give a string");
  return value_->get_ref<const std::string&>();
}

std::vector<std::int64_t> JsonView::as_ints() const {
  std::vector<std::int64_t> values;
  if (!value_->is_array())
    fail(fmt::format("is {}, expected an array of integers", kind_of(*value_)), "give an array");
  for (std::int64_t i = 0; i < size(); ++i) values.push_back(at(i).as_int());
  return values;
}

std::int64_t JsonView::int_or(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? at(key).as_int() : otherwise;
}
double JsonView::double_or(std::string_view key, double otherwise) const {
  return has(key) ? at(key).as_double() : otherwise;
}
bool JsonView::bool_or(std::string_view key, bool otherwise) const {
  return has(key) ? at(key).as_bool() : otherwise;
}
std::string JsonView::string_or(std::string_view key, std::string otherwise) const {
  return has(key) ? at(key).as_string() : std::move(otherwise);
}

JsonView parse_json(std::string_view text, std::string file, JsonOwner owner, bool comments) {
  if (deeper_than(text, kMaxDepth)) {
    throw_for(owner, file, fmt::format("is nested more than {} levels deep", kMaxDepth),
              "check the file");
  }
  std::string cleaned;
  if (comments) {
    cleaned = without_trailing_commas(text);
    text = cleaned;
  }
  // The parser takes a zero byte for the end of the text and would not see what follows it.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw_for(owner, file, fmt::format("is not valid JSON at byte {}", zero + 1),
              "the file may be cut or not JSON");
  }
  Strictness strictness;
  auto document = std::make_shared<nlohmann::json>();
  try {
    *document = nlohmann::json::parse(
        text,
        [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
          return strictness(depth, event, parsed);
        },
        /*allow_exceptions=*/true, /*ignore_comments=*/comments);
  } catch (const nlohmann::json::parse_error& error) {
    throw_for(owner, file, fmt::format("is not valid JSON at byte {}", error.byte),
              "the file may be cut or not JSON");
  } catch (const nlohmann::json::exception&) {
    throw_for(owner, file, "is not valid JSON: a number is out of range", "check the file");
  }
  if (!strictness.duplicate.empty()) {
    throw_for(owner, file, fmt::format("has the key '{}' twice", strictness.duplicate),
              "keep one of them");
  }
  return JsonView(std::move(document), std::move(file), owner);
}

JsonView read_json(const std::filesystem::path& path, JsonOwner owner, bool comments,
                   std::int64_t max_bytes) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream)
    throw_for(owner, path.string(), "cannot be opened", "check the path and its permissions");
  const std::int64_t bytes = stream.tellg();
  if (bytes < 0 || bytes > max_bytes) {
    throw_for(owner, path.string(), fmt::format("is larger than {} bytes", max_bytes),
              "this is not a file of the kind expected");
  }
  std::string text(static_cast<std::size_t>(bytes), '\0');
  stream.seekg(0);
  if (!stream.read(text.data(), bytes))
    throw_for(owner, path.string(), "cannot be read", "check the disk");
  return parse_json(text, path.filename().string(), owner, comments);
}

}  // namespace tarsier
