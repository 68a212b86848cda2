#include "tarsier/text/template_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/text/template_operators.h"
#include "tarsier/text/utf8.h"

namespace tarsier::jinja {
namespace {

constexpr int kMaxDepth = 64;

class Writer {
 public:
  Writer(const JsonFormat& format, Meter& meter) : format_(format), meter_(meter) {}

  void write(const Value& value, std::int64_t level) {
    meter_.spend(1);
    if (value.is_none()) {
      text_ += "null";
    } else if (value.is_bool()) {
      text_ += value.as_bool() ? "true" : "false";
    } else if (value.is_integer()) {
      text_ += std::to_string(value.as_integer());
    } else if (value.is_float()) {
      write_real(value.as_number());
    } else if (value.is_string()) {
      write_string(value.as_string());
    } else if (value.is_list()) {
      write_list(value.items(), level);
    } else if (value.is_dict()) {
      write_dict(value.entries(), level);
    } else {
      meter_.fail(fmt::format("writes a {} as JSON", value.type_name()));
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void write_real(double value) {
    if (std::isnan(value)) {
      text_ += "NaN";
    } else if (std::isinf(value)) {
      text_ += value > 0 ? "Infinity" : "-Infinity";
    } else {
      text_ += number_text(value);
    }
  }

  void write_string(const std::string& value) {
    meter_.spend_bytes(value.size(), text_.size() + value.size());
    text_ += '"';
    for (std::size_t at = 0; at < value.size();) {
      const CodePoint c = code_point_at(value, at);
      write_character(c.value, std::string_view(value).substr(at, c.bytes));
      at += c.bytes;
    }
    text_ += '"';
  }

  void write_character(char32_t c, std::string_view utf8) {
    switch (c) {
      case '"':
        text_ += "\\\"";
        return;
      case '\\':
        text_ += "\\\\";
        return;
      case '\n':
        text_ += "\\n";
        return;
      case '\r':
        text_ += "\\r";
        return;
      case '\t':
        text_ += "\\t";
        return;
      case '\b':
        text_ += "\\b";
        return;
      case '\f':
        text_ += "\\f";
        return;
      default:
        break;
    }
    const auto code = static_cast<std::uint32_t>(c);
    if (code < 0x20 || (format_.ensure_ascii && code >= 0x7F && code < 0x10000)) {
      text_ += fmt::format("\\u{:04x}", code);
    } else if (format_.ensure_ascii && code >= 0x10000) {
      text_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10),
                           0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
      text_ += utf8;
    }
  }

  void new_line(std::int64_t level) {
    if (format_.indent < 0) return;
    const auto spaces = static_cast<std::size_t>(format_.indent * level);
    meter_.spend_bytes(spaces, text_.size() + spaces);
    text_ += '\n';
    text_.append(spaces, ' ');
  }

  template <class Items, class WriteItem>
  void write_all(char open, char close, const Items& items, std::int64_t level,
                 WriteItem write_item) {
    text_ += open;
    bool between = false;
    for (const auto& item : items) {
      if (between) text_ += format_.indent < 0 ? ", " : ",";
      between = true;
      new_line(level + 1);
      write_item(item);
    }
    if (between) new_line(level);
    text_ += close;
  }

  void write_list(const std::vector<Value>& items, std::int64_t level) {
    write_all('[', ']', items, level, [&](const Value& item) { write(item, level + 1); });
  }

  void write_dict(const Entries& entries, std::int64_t level) {
    std::vector<const Entries::value_type*> order;
    for (const auto& entry : entries) order.push_back(&entry);
    if (format_.sort_keys) {
      std::sort(order.begin(), order.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    write_all('{', '}', order, level, [&](const auto* entry) {
      write_string(entry->first);
      text_ += ": ";
      write(entry->second, level + 1);
    });
  }

  const JsonFormat format_;
  Meter& meter_;
  std::string text_;
};

}  // namespace

Value from_json(const nlohmann::json& json, const std::string& path, int depth) {
  if (depth > kMaxDepth)
    throw InputError({path, fmt::format("nests deeper than {} levels", kMaxDepth), "flatten it"});
  switch (json.type()) {
    case nlohmann::json::value_t::null:
      return None{};
    case nlohmann::json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::json::value_t::number_integer:
      return json.get<std::int64_t>();
    case nlohmann::json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > INT64_MAX)
        throw InputError({path, "is beyond 64 bits", "send a smaller number"});
      return json.get<std::int64_t>();
    case nlohmann::json::value_t::number_float:
      return json.get<double>();
    case nlohmann::json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      require_utf8(text, path);
      return text;
    }
    case nlohmann::json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const auto& item : json)
        items.push_back(from_json(item, fmt::format("{}[{}]", path, items.size()), depth + 1));
      return make_list(std::move(items));
    }
    case nlohmann::json::value_t::object: {
      Entries entries;
      entries.reserve(json.size());
      for (const auto& [key, item] : json.items()) {
        require_utf8(key, path);
        entries.emplace_back(key, from_json(item, path + "." + key, depth + 1));
      }
      return make_dict(std::move(entries));
    }
    default:
      throw InputError({path, "is binary", "send text"});
  }
}

std::string json_text(const Value& value, const JsonFormat& format, Meter& meter) {
  Writer writer(format, meter);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace tarsier::jinja
