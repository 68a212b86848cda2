#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tarsier::test {

/// An HTTP server of this machine whose answers, heads included, are a function of the request's
/// bytes; an empty answer is never sent, and the connection stays open until the client goes.
class ScriptedServer {
 public:
  using Script = std::function<std::string(const std::string& request)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), length);
    ::listen(socket_, 64);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    accepting_ = std::jthread([this](const std::stop_token& stop) { accept(stop); });
  }
  ~ScriptedServer() {
    accepting_.request_stop();
    accepting_.join();
    ::close(socket_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept(const std::stop_token& stop) {
    std::vector<std::jthread> connections;
    while (!stop.stop_requested()) {
      if (!readable(socket_)) continue;
      const int client = ::accept(socket_, nullptr, nullptr);
      if (client < 0) continue;
      connections.emplace_back([this, client](const std::stop_token& end) {
        serve(client, end);
        ::close(client);
      });
    }
  }

  static bool readable(int socket) {
    pollfd waiting{socket, POLLIN, 0};
    return ::poll(&waiting, 1, 20) > 0;
  }

  // One request a connection.
  void serve(int client, const std::stop_token& end) {
    std::string request;
    while (!whole(request)) {
      if (end.stop_requested()) return;
      if (!readable(client)) continue;
      char bytes[4096];
      const ssize_t count = ::recv(client, bytes, sizeof(bytes), 0);
      if (count <= 0) return;
      request.append(bytes, static_cast<std::size_t>(count));
    }
    std::string answer;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      answer = script_(request);
    }
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t count =
          ::send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
    while (answer.empty() && !end.stop_requested()) {
      char byte = 0;
      if (readable(client) && ::recv(client, &byte, 1, 0) <= 0) return;
    }
  }

  static bool whole(const std::string& request) {
    const std::size_t head = request.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t length = request.find("Content-Length: ");
    return length == std::string::npos ||
           request.size() >= head + 4 + std::stoul(request.substr(length + 16));
  }

  Script script_;
  int socket_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread accepting_;
};

/// A whole answer with a length that is true.
inline std::string http_answer(int status, const std::string& body, const std::string& more = {}) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Status\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
         more + "\r\n" + body;
}

}  // namespace tarsier::test
