#pragma once

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace tarsier {

inline std::string read_fixture(const std::string& name) {
  std::ifstream file(std::string(TARSIER_SOURCE_DIR "/tests/fixtures/text/") + name,
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::json read_json_fixture(const std::string& name) {
  return nlohmann::json::parse(read_fixture(name));
}

/// The message of the error that `action` throws, "no error" when it throws none.
template <class ErrorType, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const ErrorType& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tarsier
