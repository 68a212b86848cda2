#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// One training row, whatever shape its file had (formats/format.h). Plain data.

/// Keys that no code here reads, each with its value as JSON text: carried along unchanged.
using ExtraKeys = std::map<std::string, std::string>;

enum class MediaKind { video, image, audio };

/// One video, picture or sound. Paths are as the row gives them: relative to the row's file.
struct Media {
  MediaKind kind = MediaKind::video;
  std::vector<std::string> files;           // one; several are the pictures of one video, in order
  bool is_list = false;                     // the row gave a list of pictures in place of a file
  std::optional<double> start, end;         // seconds, the part of the video that is meant
  std::vector<std::int64_t> frame_indices;  // these frames and no others, in this order
  std::string mask_boxes;                   // JSON text of regions to black out; empty: none
  std::string audio_file;                   // the video's sound, where it is a file of its own
  std::optional<bool> use_audio;            // whether the video's sound is heard
  ExtraKeys extra;                          // other sampling settings: "fps", "n_frames", ...
};

/// A piece of a turn: one item of media, or text.
struct TurnPart {
  std::optional<std::size_t> media;  // index into Record::media
  std::string text;
  std::optional<std::string> reference;  // gold text of evaluation rows
  bool tight = false;  // media in a shape with marks: no line break stood behind the mark
  ExtraKeys extra;
};

enum class Role { system, user, assistant };

struct Turn {
  Role role = Role::user;
  std::vector<TurnPart> parts;
  bool masked = false;  // an answer that is context, not a target
  ExtraKeys extra;
};

/// Two answers to the last question. The text of the last turn, where there is one, is the truth.
struct Preference {
  std::string chosen, rejected;
  bool operator==(const Preference&) const = default;
};

struct Record {
  std::string where;  // "rows.jsonl line 12", for messages
  std::vector<Media> media;
  std::vector<Turn> turns;  // with a preference, the last is the assistant's and may be empty
  std::optional<Preference> preference;
  ExtraKeys extra;  // "dataset", "task", "idx", "id", ...
};

/// "video", "image", "audio".
const char* name_of(MediaKind kind);
/// "system", "user", "assistant".
const char* name_of(Role role);

/// A turn's words, without its media.
std::string text_of(const Turn& turn);

/// Whether a text has nothing but white space.
bool is_blank(std::string_view text);

/// What the row teaches: its answers that are not masked, and the chosen one; one a line.
std::string answer_text(const Record& record);

/// A key of `extra` that is a string or an integer, as text; nothing when it is absent.
std::optional<std::string> extra_text(const ExtraKeys& extra, const std::string& key);

/// Whether `file` names a file of this machine, and not a URL or data written out in the row.
bool is_local_file(const std::string& file);

/// Rewrites the relative media paths of a row that moves from a file in `from` to one in `to`.
void move_media_paths(Record& record, const std::string& from, const std::string& to);

}  // namespace tarsier
