#include "tarsier/data/record.h"

#include <filesystem>
#include <nlohmann/json.hpp>

namespace tarsier {

const char* name_of(MediaKind kind) {
  if (kind == MediaKind::video) return "video";
  return kind == MediaKind::image ? "image" : "audio";
}

const char* name_of(Role role) {
  if (role == Role::system) return "system";
  return role == Role::user ? "user" : "assistant";
}

std::string text_of(const Turn& turn) {
  std::string text;
  for (const TurnPart& part : turn.parts) {
    if (!part.media) text += part.text;
  }
  return text;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string answer_text(const Record& record) {
  std::string text;
  const auto add = [&](const std::string& answer) {
    if (!text.empty() && !answer.empty()) text += '\n';
    text += answer;
  };
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    const Turn& turn = record.turns[i];
    const bool is_truth = record.preference && i + 1 == record.turns.size();
    if (turn.role == Role::assistant && !turn.masked && !is_truth) add(text_of(turn));
  }
  if (record.preference) add(record.preference->chosen);
  return text;
}

std::optional<std::string> extra_text(const ExtraKeys& extra, const std::string& key) {
  const auto found = extra.find(key);
  if (found == extra.end()) return std::nullopt;
  const nlohmann::json value = nlohmann::json::parse(found->second);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return found->second;
  return std::nullopt;
}

bool is_local_file(const std::string& file) {
  constexpr std::size_t kLongestPath = 4096;  // PATH_MAX; longer text is a picture in base64
  return !file.empty() && file.size() < kLongestPath && file.find("://") == std::string::npos &&
         !file.starts_with("data:");
}

void move_media_paths(Record& record, const std::string& from, const std::string& to) {
  namespace fs = std::filesystem;
  const fs::path source = fs::absolute(from.empty() ? "." : from).lexically_normal();
  const fs::path target = fs::absolute(to.empty() ? "." : to).lexically_normal();
  const auto move = [&](std::string& file) {
    if (!is_local_file(file) || fs::path(file).is_absolute()) return;
    file = (source / file).lexically_normal().lexically_relative(target).generic_string();
  };
  for (Media& media : record.media) {
    for (std::string& file : media.files) move(file);
    move(media.audio_file);
  }
}

}  // namespace tarsier
