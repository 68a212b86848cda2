#include "tarsier/media/container_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "tarsier/base/error.h"

namespace tarsier::ffmpeg {
namespace {

// Demuxers that read one file from its own bytes. No playlists, no image sequences by pattern, no
// raw streams.
constexpr std::array<std::string_view, 10> kFormats = {"mov,mp4,m4a,3gp,3g2,mj2",
                                                       "matroska,webm",
                                                       "avi",
                                                       "gif",
                                                       "mpegts",
                                                       "flv",
                                                       "png_pipe",
                                                       "jpeg_pipe",
                                                       "webp_pipe",
                                                       "bmp_pipe"};
constexpr std::array<std::string_view, 5> kSoundFormats = {"wav", "flac", "ogg", "mp3", "aac"};
constexpr int kBufferBytes = 1 << 16;

const char* hint_of(ContainerUse use) {
  if (use == ContainerUse::sound)
    return "pass wav, flac, ogg, mp3, aac, m4a, or a video: mp4, mov, mkv, webm, avi, ts or flv";
  return "pass mp4, mov, mkv, webm, avi, ts, flv, gif, png, jpeg, webp or bmp";
}

bool is_welcome(std::string_view format, ContainerUse use) {
  const auto holds = [&](const auto& formats) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
  };
  return holds(kFormats) || (use == ContainerUse::sound && holds(kSoundFormats));
}

int refuse_nested_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

}  // namespace

ContainerInput::ContainerInput(const std::filesystem::path& file, const MediaLimits& limits,
                               ContainerUse use)
    : limits_(limits), use_(use), where_(file.string()) {
  route_log();
  start_clock(limits.wall_clock_seconds);
  try {
    open_descriptor(file);
    open_demuxer(PacketTimes::stored);
  } catch (...) {
    close_demuxer();
    if (descriptor_ >= 0) ::close(descriptor_);
    throw;
  }
}

ContainerInput::~ContainerInput() {
  close_demuxer();
  ::close(descriptor_);
}

void ContainerInput::open_descriptor(const std::filesystem::path& file) {
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR)
      throw InputError({where_, "no such file", "check the path"});
    if (error == EMFILE || error == ENFILE)
      throw ResourceError({where_, "too many open files", "open fewer at once"});
    throw InputError({where_, std::string("cannot be opened: ") + std::strerror(error),
                      "check its permissions"});
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    throw InputError({where_, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file",
                      "pass one media file"});
  }
  size_ = status.st_size;
  if (size_ == 0) throw InputError({where_, "the file is empty", "copy it again"});
}

void ContainerInput::open_demuxer(PacketTimes times) {
  offset_ = 0;
  auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(kBufferBytes)));
  io_ = avio_alloc_context(buffer, kBufferBytes, 0, this, read_bytes, nullptr, seek_bytes);
  if (io_ == nullptr) {
    av_free(buffer);
    throw_out_of_memory();
  }
  const AVInputFormat* format = nullptr;
  // The name is left out: only the bytes say what the file is.
  const int probed = av_probe_input_buffer2(io_, &format, "", nullptr, 0,
                                            static_cast<unsigned>(limits_.probe_bytes));
  check_clock();
  if (probed < 0 || format == nullptr) {
    const bool sound = use_ == ContainerUse::sound;
    throw InputError(
        {where_, sound ? "not a video or sound" : "not a video or a picture", hint_of(use_)});
  }
  if (!is_welcome(format->name, use_)) {
    throw InputError(
        {where_, fmt::format("files of the kind '{}' are not read", format->name), hint_of(use_)});
  }
  format_name_ = format->name;

  context_ = allocated(avformat_alloc_context());
  context_->pb = io_;
  context_->flags |= AVFMT_FLAG_CUSTOM_IO;
  if (times == PacketTimes::stored) context_->flags |= AVFMT_FLAG_NOFILLIN;
  context_->interrupt_callback = {
      [](void* self) { return static_cast<ContainerInput*>(self)->out_of_time() ? 1 : 0; }, this};
  context_->io_open = refuse_nested_open;
  context_->max_streams = static_cast<int>(limits_.max_streams);
  context_->probesize = limits_.probe_bytes;
  context_->max_analyze_duration =
      static_cast<std::int64_t>(limits_.analyze_seconds * AV_TIME_BASE);
  context_->format_whitelist = av_strdup(format->name);
  context_->protocol_whitelist = av_strdup("none");
  context_->codec_whitelist = av_strdup("none");  // the demuxer never decodes; we do
  const int opened =
      avformat_open_input(&context_, "", format, nullptr);  // frees the context on failure
  check_clock();
  if (opened < 0) {
    throw InputError(
        {where_,
         fmt::format("the {} file is cut short, damaged, or has more than {} streams",
                     format_name_.substr(0, format_name_.find(',')), limits_.max_streams),
         "copy or encode it again"});
  }
}

void ContainerInput::close_demuxer() {
  avformat_close_input(&context_);  // leaves custom I/O open
  if (io_ != nullptr) av_freep(&io_->buffer);
  avio_context_free(&io_);
}

void ContainerInput::rewind(PacketTimes times) {
  close_demuxer();
  open_demuxer(times);
}

bool ContainerInput::read(AVPacket& packet) {
  const int result = av_read_frame(context_, &packet);
  check_clock();
  damaged_end_ = result < 0 && result != AVERROR_EOF;
  return result >= 0;
}

bool ContainerInput::seek(int stream, std::int64_t timestamp) {
  const int result = av_seek_frame(context_, stream, timestamp, AVSEEK_FLAG_BACKWARD);
  check_clock();
  return result >= 0;
}

void ContainerInput::start_clock(double seconds) {
  deadline_ = std::chrono::steady_clock::now();
  extend_clock(seconds);
}

void ContainerInput::extend_clock(double seconds) {
  deadline_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

void ContainerInput::check_clock() const {
  if (!out_of_time()) return;
  throw InputError(
      {where_, "decoding took longer than allowed", "pass a shorter or smaller video"});
}

int ContainerInput::read_bytes(void* self, std::uint8_t* buffer, int size) {
  auto& input = *static_cast<ContainerInput*>(self);
  if (input.out_of_time()) return AVERROR_EXIT;
  ssize_t count = -1;
  do {
    count = ::pread(input.descriptor_, buffer, static_cast<std::size_t>(size), input.offset_);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return AVERROR(EIO);
  if (count == 0) return AVERROR_EOF;
  input.offset_ += count;
  return static_cast<int>(count);
}

std::int64_t ContainerInput::seek_bytes(void* self, std::int64_t offset, int whence) {
  auto& input = *static_cast<ContainerInput*>(self);
  whence &= ~AVSEEK_FORCE;
  if (whence == AVSEEK_SIZE) return input.size_;
  std::int64_t base = 0;
  if (whence == SEEK_CUR) base = input.offset_;
  if (whence == SEEK_END) base = input.size_;
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  return input.offset_ = target;
}

}  // namespace tarsier::ffmpeg
