// Files that are not what they say: each refused with its own message, nothing else opened.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cmath>

#include "crc32.h"
#include "numbered_video.h"
#include "tarsier/base/error.h"
#include "tarsier/media/png_writer.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;
using testing::number_in;
using testing::numbered_picture;
using testing::TemporaryFolder;
using testing::write_bytes;
using testing::write_numbered_video;

std::string refusal(const std::filesystem::path& file, const MediaLimits& limits = {}) {
  try {
    VideoReader reader(file, limits);
    return "was opened";
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.where, file.string());
    EXPECT_EQ(error.note.text().find('\n'), std::string::npos);
    return error.note.what;
  }
}

TEST(BadInput, FilesThatAreNotThere) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal(folder / "absent.mp4"), "no such file");
  EXPECT_EQ(refusal(folder.path()), "is a folder");
  write_bytes(folder / "empty.mp4", "");
  EXPECT_EQ(refusal(folder / "empty.mp4"), "the file is empty");
  ASSERT_EQ(::mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  EXPECT_EQ(refusal(folder / "pipe.mp4"), "is not a regular file");
  EXPECT_EQ(refusal("/dev/zero"), "is not a regular file");
}

TEST(BadInput, TextNamedAsVideo) {
  const TemporaryFolder folder;
  for (const char* text :
       {"hello", "\n",
        "This is a long line of text about nothing in particular, and more of it.\n"}) {
    write_bytes(folder / "text.mp4", text);
    EXPECT_EQ(refusal(folder / "text.mp4"), "not a video or a picture");
  }
}

TEST(BadInput, SoundAlone) {
  EXPECT_EQ(refusal(TARSIER_SOURCE_DIR "/tests/fixtures/media/audio_only.m4a"), "no video stream");
}

class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { ::close(socket_); }
  int port() const { return port_; }
  bool was_called() const {
    const int call = ::accept(socket_, nullptr, nullptr);
    if (call >= 0) ::close(call);
    return call >= 0;
  }

 private:
  int socket_;
  int port_ = 0;
};

TEST(BadInput, PlaylistsOpenNothing) {
  const TemporaryFolder folder;
  const auto canary = folder / "canary.ts";
  write_numbered_video(canary, {48, 64}, 5);
  ASSERT_EQ(VideoReader(canary).info().frames, 5);
  // Reading the canary would move its access time past this old one, whatever the mount options.
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, canary.c_str(), old, 0), 0);
  const Listener listener;
  const std::string local = "file://" + canary.string();
  const std::string remote = "http://127.0.0.1:" + std::to_string(listener.port()) + "/clip.ts";
  const auto playlist = [](const std::string& target) {
    return "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + target +
           "\n#EXT-X-ENDLIST\n";
  };
  const std::vector<std::string> texts = {
      playlist(local),
      playlist(canary.string()),
      playlist("canary.ts"),
      playlist(remote),
      "ffconcat version 1.0\nfile canary.ts\n",
      "ffconcat version 1.0\nfile '" + canary.string() + "'\n",
      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video " +
          std::to_string(listener.port()) + " RTP/AVP 96\na=rtpmap:96 H264/90000\n",
      "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
      "profiles=\"x\"><Period><BaseURL>" +
          remote + "</BaseURL></Period></MPD>",
  };
  for (const std::string& text : texts) {
    write_bytes(folder / "clip.mp4", text);
    EXPECT_THAT(refusal(folder / "clip.mp4"),
                ::testing::AnyOf(HasSubstr("are not read"), "not a video or a picture"));
  }
  EXPECT_FALSE(listener.was_called());
  struct stat status {};
  ASSERT_EQ(::stat(canary.c_str(), &status), 0);
  EXPECT_EQ(status.st_atim.tv_sec, 1'000'000'000);
}

TEST(BadInput, CutMp4) {
  const TemporaryFolder folder;
  write_numbered_video(folder / "whole.mp4", {48, 64}, 40);
  const std::string whole = bytes_of(folder / "whole.mp4");
  for (std::size_t percent = 1; percent < 90;
       percent += 7) {  // the index is at the end, so every cut loses it
    write_bytes(folder / "cut.mp4", whole.substr(0, whole.size() * percent / 100));
    EXPECT_NE(refusal(folder / "cut.mp4"), "was opened") << percent;
  }
  // With the index in front, the cut is found by what it promises.
  VideoWriterOptions options;
  options.muxer_options["moov_size"] = "20000";
  write_numbered_video(folder / "front.mp4", {48, 64}, 40, options);
  const std::string front = bytes_of(folder / "front.mp4");
  ASSERT_EQ(VideoReader(folder / "front.mp4").info().frames, 40);
  write_bytes(folder / "cut.mp4", front.substr(0, front.size() - 2000));
  EXPECT_THAT(refusal(folder / "cut.mp4"), HasSubstr("of 40 frames are there"));
}

// Cut containers without an index serve the frames that are whole, and those exactly. A picture
// that others were to be shown after may be lost, so frames are told by their times.
TEST(BadInput, CutStreams) {
  const TemporaryFolder folder;
  for (const char* name : {"clip.mkv", "clip.ts", "clip.avi", "clip.gif"}) {
    VideoWriterOptions options;
    options.gop_size = 10;
    if (std::string(name) == "clip.gif") {
      options.codec = "gif";
      options.pixel_format = "rgb8";
    }
    write_numbered_video(folder / name, {48, 64}, 40, options);
    const std::string whole = bytes_of(folder / name);
    VideoReader complete(folder / name);
    for (const std::size_t percent : {30, 55, 80, 97}) {
      const auto cut = folder / ("cut" + std::filesystem::path(name).extension().string());
      write_bytes(cut, whole.substr(0, whole.size() * percent / 100));
      try {
        VideoReader reader(cut);
        EXPECT_LE(reader.info().frames, 40) << name;
        for (std::int64_t i = 0; i < reader.info().frames; ++i) {
          try {
            const Frame frame = reader.read(std::vector{i})[0];
            const auto same = std::llround(frame.seconds * 25);
            EXPECT_TRUE(frame.rgb == complete.read(std::vector<std::int64_t>{same})[0].rgb)
                << name << ' ' << percent << "% frame " << i;
          } catch (const InputError& error) {
            EXPECT_THAT(error.note.what, HasSubstr("frame " + std::to_string(i)));
          }
        }
      } catch (const InputError&) {
      }
    }
  }
}

// Damage in the middle: frames are refused or equal, and those after the next key frame are served
// again.
TEST(BadInput, DamagedFramesAreNamed) {
  const TemporaryFolder folder;
  VideoWriterOptions options;
  options.gop_size = 10;
  options.b_frames = 0;
  write_numbered_video(folder / "whole.mp4", {96, 128}, 40, options);
  VideoReader whole(folder / "whole.mp4");
  std::string bytes = bytes_of(folder / "whole.mp4");
  const std::size_t begin = bytes.size() / 3;
  for (std::size_t i = begin; i < begin + 2500; ++i) bytes[i] = '\0';
  write_bytes(folder / "hole.mp4", bytes);
  VideoReader reader(folder / "hole.mp4");
  ASSERT_EQ(reader.info().frames, 40);
  std::int64_t refused = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    try {
      EXPECT_EQ(reader.read(std::vector{i})[0].rgb, whole.read(std::vector{i})[0].rgb) << i;
    } catch (const InputError& error) {
      ++refused;
      EXPECT_EQ(error.note.what,
                "frame " + std::to_string(i) + " is damaged and cannot be decoded");
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 31);
}

/// A PNG header that promises much more than the file holds, with a right checksum and a little
/// data.
std::string huge_png(std::uint32_t width, std::uint32_t height) {
  const auto number = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
    return text;
  };
  const auto chunk = [&](const std::string& kind, const std::string& data) {
    const std::string body = kind + data;
    return number(static_cast<std::uint32_t>(data.size())) + body +
           number(testing::crc32_of(
               {reinterpret_cast<const std::uint8_t*>(body.data()), body.size()}));
  };
  const std::string header =
      number(width) + number(height) + std::string("\x08\x02\x00\x00\x00", 5);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) +
         chunk("IDAT", std::string("\x78\x9c\x63\x00\x00", 5)) + chunk("IEND", "");
}

TEST(BadInput, TooManyPixels) {
  const TemporaryFolder folder;
  write_bytes(folder / "huge.png", huge_png(16'000, 16'000));
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(folder / "huge.png"),
            "16000 x 16000 pixels are more than the limit of 33177600");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 50'000);  // KiB
  write_bytes(folder / "wide.png", huge_png(0x7fffffff, 0x7fffffff));
  EXPECT_NE(refusal(folder / "wide.png"), "was opened");

  write_numbered_video(folder / "clip.mp4", {96, 128}, 3);
  MediaLimits small;
  small.max_pixels = 96 * 128 - 1;
  EXPECT_EQ(refusal(folder / "clip.mp4", small),
            "128 x 96 pixels are more than the limit of 12287");
  write_numbered_video(folder / "clip.ts", {96, 128}, 3);
  EXPECT_NE(refusal(folder / "clip.ts", small), "was opened");
  small.max_pixels = 96 * 128;
  EXPECT_EQ(refusal(folder / "clip.mp4", small), "was opened");
  EXPECT_EQ(refusal(folder / "clip.ts", small), "was opened");
}

TEST(BadInput, OverTheOtherLimits) {
  const TemporaryFolder folder;
  write_numbered_video(folder / "clip.mp4", {48, 64}, 50);
  MediaLimits limits;
  limits.max_packets = 49;
  EXPECT_EQ(refusal(folder / "clip.mp4", limits), "more than 49 packets");
  limits = {};
  limits.max_seconds = 1.9;
  EXPECT_THAT(refusal(folder / "clip.mp4", limits), HasSubstr("over the limit"));
  limits = {};
  limits.wall_clock_seconds = 0;
  EXPECT_EQ(refusal(folder / "clip.mp4", limits), "decoding took longer than allowed");
  limits = {};
  limits.max_frames_per_request = 3;
  VideoReader reader(folder / "clip.mp4", limits);
  EXPECT_THROW(reader.read(std::vector<std::int64_t>{0, 1, 2, 3}), InputError);
  EXPECT_EQ(reader.read(std::vector<std::int64_t>{0, 1, 2}).size(), 3U);
  limits = {};
  limits.max_pixels_per_request = 2 * 48 * 64;
  EXPECT_THROW(VideoReader(folder / "clip.mp4", limits).read(std::vector<std::int64_t>{0, 1, 2}),
               InputError);
}

TEST(BadInput, DamagedPicture) {
  const TemporaryFolder folder;
  write_png(folder / "whole.png", numbered_picture(3, {64, 64}), {64, 64});
  const std::string whole = bytes_of(folder / "whole.png");
  write_bytes(folder / "cut.png", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(refusal(folder / "cut.png"), "the picture is damaged or cut short");
  write_bytes(folder / "cut.png", whole.substr(0, 20));
  EXPECT_NE(refusal(folder / "cut.png"), "was opened");
}

TEST(VideoWriter, AppearsWholeOrNotAtAll) {
  const TemporaryFolder folder;
  {
    VideoWriter writer(folder / "clip.mp4", {48, 64});
    writer.write(numbered_picture(0, {48, 64}));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(VideoWriter(folder / "clip.unheard", {48, 64}), ConfigError);
  VideoWriterOptions options;
  options.codec = "no-such-encoder";
  VideoWriter unknown(folder / "clip.mp4", {48, 64}, options);
  EXPECT_THROW(unknown.write(numbered_picture(0, {48, 64})), ConfigError);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  VideoWriter nowhere(folder / "absent/clip.mp4", {48, 64});
  nowhere.write(numbered_picture(0, {48, 64}));
  EXPECT_THROW(nowhere.finish(), ResourceError);
}

TEST(VideoWriter, GivesTheSameBytesTwice) {
  const TemporaryFolder folder;
  write_numbered_video(folder / "a.mp4", {48, 64}, 12);
  write_numbered_video(folder / "b.mp4", {48, 64}, 12);
  EXPECT_EQ(bytes_of(folder / "a.mp4"), bytes_of(folder / "b.mp4"));
}

}  // namespace
}  // namespace tarsier
