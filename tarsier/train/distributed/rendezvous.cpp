#include "tarsier/train/distributed/rendezvous.h"

#include <c10/util/Logging.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// How long the store may take to say how far the others are.
constexpr std::chrono::seconds kAskLimit{5};
// Between a collective that broke and the question who broke it: the others' last words arrive.
constexpr std::chrono::milliseconds kGrace{500};
// How long those are waited for that may only be slow, where it is not clear who broke it.
constexpr std::chrono::milliseconds kPatience{5000};
// How long rank 0 stays after a failure: the store is its own, and the others have yet to ask.
constexpr std::chrono::seconds kStay{6};

// c10d waits for a store's answer for ever, which one that hangs never gives: from now on the
// connections to `port` give up after kAskLimit.
void limit_waiting(std::int64_t port) {
  constexpr timeval limit{kAskLimit.count(), 0};
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const int descriptor = std::stoi(entry.path().filename().string());
    sockaddr_in6 peer{};  // an IPv4 address has its port at the same place
    socklen_t length = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) == 0 &&
        (peer.sin6_family == AF_INET || peer.sin6_family == AF_INET6) &&
        ntohs(peer.sin6_port) == port)
      ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
}

std::string key_of(std::int64_t rank) { return fmt::format("calls/{}", rank); }
std::string asks_key_of(std::int64_t rank) { return fmt::format("asks/{}", rank); }

}  // namespace

struct Rendezvous::State {
  Launch launch;
  std::chrono::seconds limit;
  std::int64_t calls = 0;
  c10::intrusive_ptr<c10d::Store> tcp, store;

  // How many calls a rank has come to.
  std::int64_t calls_of(std::int64_t rank) const {
    if (!store->check({key_of(rank)})) return 0;
    const std::vector<std::uint8_t> text = store->get(key_of(rank));
    return std::stoll(std::string(text.begin(), text.end()));
  }

  // Of the other ranks, those that have come to the fewest calls; one that asks who broke a
  // collective, as this one does, did not break it.
  std::vector<std::int64_t> farthest_behind() const {
    std::vector<std::int64_t> behind;
    std::int64_t fewest = calls;
    for (std::int64_t rank = 0; rank < launch.size; ++rank) {
      if (rank == launch.rank || store->check({asks_key_of(rank)})) continue;
      const std::int64_t its_calls = calls_of(rank);
      if (its_calls > fewest) continue;
      if (its_calls < fewest) behind.clear();
      fewest = its_calls;
      behind.push_back(rank);
    }
    return behind;
  }
};

Rendezvous::Rendezvous(const Launch& launch, std::chrono::seconds limit)
    : state_(std::make_unique<State>()) {
  state_->launch = launch;
  state_->limit = limit;
  try {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(launch.port);
    options.isServer = launch.rank == 0 && !launch.launcher_store;
    // A launcher's store serves others too, and outlives an attempt.
    options.waitWorkers = !launch.launcher_store;
    if (options.waitWorkers) options.numWorkers = static_cast<std::size_t>(launch.size);
    options.timeout = limit;
    state_->tcp = c10::make_intrusive<c10d::TCPStore>(launch.host, options);
    state_->store = c10::make_intrusive<c10d::PrefixStore>(
        fmt::format("tarsier/attempt_{}", launch.attempt), state_->tcp);
  } catch (const std::exception&) {
    throw_not_met();
  }
}

Rendezvous::~Rendezvous() = default;

c10::intrusive_ptr<c10d::Store> Rendezvous::store() const { return state_->store; }

void Rendezvous::met() { state_->tcp->setTimeout(kAskLimit); }

void Rendezvous::throw_not_met() const {
  const Launch& launch = state_->launch;
  throw ResourceError(
      {fmt::format("rank {}", launch.rank),
       fmt::format("did not meet the other {} ranks at {}:{} within {} s", launch.size - 1,
                   launch.host, launch.port, state_->limit.count()),
       "check that all of them started, and that the port is free and open"});
}

void Rendezvous::announce() {
  const std::string text = std::to_string(++state_->calls);
  state_->store->set(key_of(state_->launch.rank),
                     std::vector<std::uint8_t>(text.begin(), text.end()));
}

void Rendezvous::begin_asking() {
  try {
    state_->store->set(asks_key_of(state_->launch.rank), std::vector<std::uint8_t>{1});
  } catch (const std::exception&) {  // the store is gone: throw_culprit says whose it is
  }
}

// A rank that died or hangs does not ask, and has come to no more calls than those who wait for it.
void Rendezvous::throw_culprit() {
  const Launch& launch = state_->launch;
  // A store that is gone is told below, in a line; c10d's own warning is a stack trace.
  FLAGS_caffe2_log_level = c10::GLOG_ERROR;
  limit_waiting(launch.port);
  std::string names;
  try {
    std::this_thread::sleep_for(kGrace);
    std::vector<std::int64_t> behind = state_->farthest_behind();
    // One that is only slow catches up with the call that failed, and is behind no longer.
    for (auto waited = kGrace; behind.size() > 1 && waited < kPatience; waited += kGrace) {
      std::this_thread::sleep_for(kGrace);
      behind = state_->farthest_behind();
    }
    for (const std::int64_t rank : behind)
      names += (names.empty() ? "rank " : ", rank ") + std::to_string(rank);
    if (names.empty()) names = "a rank";
  } catch (const std::exception&) {
    names = launch.launcher_store ? "the launcher" : "rank 0";  // whose the store is
  }
  if (launch.rank == 0 && !launch.launcher_store) std::this_thread::sleep_for(kStay);
  throw ResourceError({names,
                       fmt::format("stopped answering rank {} (time limit {} s)", launch.rank,
                                   state_->limit.count()),
                       "look at its log; the same command goes on from the newest checkpoint"});
}

}  // namespace tarsier
