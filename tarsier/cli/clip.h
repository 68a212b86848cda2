#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tarsier/models/video_language_model.h"

namespace CLI {
class App;
}

namespace tarsier {

/// What part of a file to look at.
struct ClipFlags {
  FrameRequest request;
  std::string show_frames;  // a PNG file; empty: none
  std::string audio;  // "on", "off"; empty: sound is heard where there is any and the model can
};

/// --frames, --fps, --start, --end, --audio and --show-frames.
void add_clip_flags(CLI::App& app, ClipFlags& flags);

/// The pictures of one file as a model wants them.
struct MediaClip {
  std::string path;
  VideoInfo info;
  FrameChoice choice;
  double start_seconds = 0, end_seconds = 0;  // of the part looked at, from its first picture on
  std::shared_ptr<const Pictures> pictures;
  double decode_seconds = 0;  // what reading it took
  double sound_seconds = 0;   // that are heard

  bool is_image() const { return info.is_still_image; }
  bool is_sound() const { return pictures->modality == Modality::audio; }  // without pictures
};

/// The pictures of a file that `rule` or `request` chooses, with its sound if it is to be heard and
/// there is any. Throws as VideoReader, read_audio and choose_frames do; ConfigError for a time or
/// a count asked of a still image.
MediaClip read_picture_clip(const std::string& path, const SamplingRule& rule,
                            const FrameRequest& request, bool with_sound);

/// Reads the pictures the model's own sampling or the flags choose, and the sound where the model
/// hears; a file of sound alone too. Throws as read_picture_clip does; ConfigError for --audio on
/// with a model that does not hear; InputError for --audio on with a file that has no sound, and
/// for a file of sound alone that is not to be heard.
MediaClip read_clip(const std::string& path, const VideoLanguageModel& model,
                    const ClipFlags& flags);

/// The clip, then these words, from the user.
Conversation question_about(const MediaClip& clip, std::string_view words);

/// "saw 8 frames (0.00-7.96 s), 84x84, 72 visual tokens, sampler tarsier2 v1, model tarsier-nano";
/// with sound ", 8.0 s of sound" before the sampler.
std::string saw_line(const MediaClip& clip, const SeenMedia& seen, const ModelInfo& model);

/// The frames side by side, in reading order, as large as the model saw them, as a PNG file.
/// ResourceError when it cannot be written.
void write_contact_sheet(const std::string& file, const MediaClip& clip, const SeenMedia& seen);

}  // namespace tarsier
