#include "tarsier/text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "tarsier/text/utf8.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {
namespace {

std::size_t start_of_last(std::string_view utf8,
                          std::size_t end) {  // of the character that ends at `end`
  do --end;
  while (end > 0 && (static_cast<unsigned char>(utf8[end]) & 0xC0) == 0x80);
  return end;
}

bool word_before(std::string_view utf8, std::size_t at) {
  return at > 0 && is_word_character(code_point_at(utf8, start_of_last(utf8, at)).value);
}

bool word_after(std::string_view utf8, std::size_t at) {
  return at < utf8.size() && is_word_character(code_point_at(utf8, at).value);
}

}  // namespace

AddedToken parse_added_token(const JsonView& json, std::optional<std::int64_t> id) {
  AddedToken token;
  token.id = id ? *id : json.at("id").as_int(0, kMaxTokenId);
  token.content = json.at("content").as_string();
  token.special = json.bool_or("special", false);
  token.normalized = json.bool_or("normalized", !token.special);
  token.lstrip = json.bool_or("lstrip", false);
  token.rstrip = json.bool_or("rstrip", false);
  token.single_word = json.bool_or("single_word", false);
  return token;
}

AddedTokenMatcher::AddedTokenMatcher(std::vector<std::pair<std::string, AddedToken>> patterns)
    : token_of_node_{-1} {
  for (auto& [text, token] : patterns) {
    if (text.empty()) continue;
    std::uint64_t node = 0;
    for (const char c : text) {
      const auto [edge, is_new] =
          edges_.try_emplace(node << 8 | static_cast<unsigned char>(c),
                             static_cast<std::uint32_t>(token_of_node_.size()));
      if (is_new) token_of_node_.push_back(-1);
      node = edge->second;
    }
    starts_[static_cast<unsigned char>(text.front())] = true;
    token_of_node_[node] = static_cast<std::int64_t>(tokens_.size());
    tokens_.push_back(std::move(token));
  }
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::longest_at(std::string_view utf8,
                                                                      std::size_t at) const {
  std::optional<Match> longest;
  std::uint64_t node = 0;
  for (std::size_t i = at; i < utf8.size(); ++i) {
    const auto edge = edges_.find(node << 8 | static_cast<unsigned char>(utf8[i]));
    if (edge == edges_.end()) break;
    node = edge->second;
    const std::int64_t token = token_of_node_[node];
    if (token >= 0) longest = Match{i + 1, &tokens_[static_cast<std::size_t>(token)]};
  }
  return longest;
}

void AddedTokenMatcher::split(std::string_view utf8, bool special_as_text,
                              const Piece& piece) const {
  std::size_t done = 0;  // everything before it was emitted
  std::size_t space_end =
      0;  // of the last white space looked over, so that none is looked over twice
  for (std::size_t at = 0; at < utf8.size();) {
    const auto match =
        starts_[static_cast<unsigned char>(utf8[at])] ? longest_at(utf8, at) : std::nullopt;
    if (!match) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = match->end;
    at = end;
    const AddedToken& token = *match->token;
    if (special_as_text && token.special) continue;
    if (token.single_word && (word_before(utf8, begin) || word_after(utf8, end))) continue;
    if (token.lstrip) {
      while (begin > done &&
             is_white_space(code_point_at(utf8, start_of_last(utf8, begin)).value)) {
        begin = start_of_last(utf8, begin);
      }
    }
    if (token.rstrip) {
      end = std::max(end, space_end);
      while (end < utf8.size() && is_white_space(code_point_at(utf8, end).value))
        end += code_point_at(utf8, end).bytes;
      space_end = end;
    }
    if (done < begin) piece(utf8.substr(done, begin - done), nullptr);
    piece(utf8.substr(begin, end - begin), &token);
    done = end;
  }
  if (done < utf8.size()) piece(utf8.substr(done), nullptr);
}

}  // namespace tarsier
