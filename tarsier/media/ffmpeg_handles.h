#pragma once

// Private to the media layer's .cpp files: FFmpeg's headers and owners for its objects.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>

namespace tarsier::ffmpeg {

struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeCodec {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct FreeParameters {
  void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
};
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct FreeResampler {
  void operator()(SwrContext* resampler) const { swr_free(&resampler); }
};

using FramePtr = std::unique_ptr<AVFrame, FreeFrame>;
using PacketPtr = std::unique_ptr<AVPacket, FreePacket>;
using CodecPtr = std::unique_ptr<AVCodecContext, FreeCodec>;
using ParametersPtr = std::unique_ptr<AVCodecParameters, FreeParameters>;
using ScalerPtr = std::unique_ptr<SwsContext, FreeScaler>;
using ResamplerPtr = std::unique_ptr<SwrContext, FreeResampler>;

/// `pointer`, or ResourceError when FFmpeg could not allocate.
template <class T>
T* allocated(T* pointer);
[[noreturn]] void throw_out_of_memory();

template <class T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw_out_of_memory();
  return pointer;
}

inline FramePtr make_frame() { return FramePtr(allocated(av_frame_alloc())); }
inline PacketPtr make_packet() { return PacketPtr(allocated(av_packet_alloc())); }

/// Sends FFmpeg's own log lines to log_debug; they may quote the file, so they never reach a
/// message. Call before any use.
void route_log();

}  // namespace tarsier::ffmpeg
