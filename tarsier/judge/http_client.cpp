#include "tarsier/judge/http_client.h"

#include <curl/curl.h>

#include <mutex>
#include <new>
#include <utility>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr char kUrlHint[] = "give a URL such as http://localhost:8000/v1";

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

std::string part_of(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string value(text);
  curl_free(text);
  return value;
}

void set_part(const Url& url, CURLUPart part, const std::string& value) {
  check(curl_url_set(url.get(), part, value.c_str(), 0) == CURLUE_OK, "a part of a URL is set");
}

Url parse_url(const std::string& text) {
  Url url(curl_url());
  if (url == nullptr) throw std::bad_alloc();
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    throw ConfigError({text, "is not a URL", kUrlHint});
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    throw ConfigError({text, "is not a URL of http or https", kUrlHint});
  if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
    throw ConfigError({part_of(url, CURLUPART_HOST), "its URL names a user or a password",
                       "give the key by a file or the environment"});
  return url;
}

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

HeaderList header_list(const std::vector<std::string>& headers) {
  HeaderList list;
  for (const std::string& header : headers) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

struct Body {
  std::string bytes;
  std::size_t most = 0;
  bool over = false;
};

// Called by libcurl, which is C: no exception may leave it.
std::size_t receive(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& body = *static_cast<Body*>(user);
  const std::size_t bytes = size * count;
  if (bytes > body.most - body.bytes.size()) {
    body.over = true;
    return CURL_WRITEFUNC_ERROR;
  }
  try {
    body.bytes.append(data, bytes);
  } catch (const std::bad_alloc&) {
    return CURL_WRITEFUNC_ERROR;
  }
  return bytes;
}

int ask_to_go_on(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw ResourceError({"libcurl", "cannot be started", ""});
}

}  // namespace

struct HttpClient::Connections {
  HeaderList headers;
  std::mutex mutex;  // of what follows
  std::vector<Handle> idle;

  Handle take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) {
      Handle handle(curl_easy_init());
      if (handle == nullptr) throw std::bad_alloc();
      return handle;
    }
    Handle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }
  void give_back(Handle handle) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(handle));
  }
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), connections_(std::make_unique<Connections>()) {
  start_libcurl();
  parse_url(options_.url);
  connections_->headers = header_list(options_.headers);
}

HttpClient::~HttpClient() = default;

std::variant<HttpAnswer, HttpProblem> HttpClient::post(const std::string& body,
                                                       std::stop_token stop) {
  Handle handle = connections_->take();
  CURL* curl = handle.get();
  curl_easy_reset(curl);  // keeps its connections
  Body received{.bytes = {}, .most = static_cast<std::size_t>(options_.max_bytes)};
  char reason[CURL_ERROR_SIZE] = "";
  const auto milliseconds = static_cast<long>(options_.timeout.count());
  curl_easy_setopt(curl, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  if (options_.url.compare(0, 6, "https:") != 0) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, connections_->headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &ask_to_go_on);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  connections_->give_back(std::move(handle));

  const std::string what = reason[0] != '\0' ? reason : curl_easy_strerror(code);
  if (code == CURLE_OK) return HttpAnswer{status, std::move(received.bytes)};
  if (stop.stop_requested()) return HttpProblem{HttpFailure::stopped, "stopped"};
  if (received.over) return HttpProblem{HttpFailure::too_large, what};
  if (code == CURLE_OPERATION_TIMEDOUT) return HttpProblem{HttpFailure::timed_out, what};
  return HttpProblem{HttpFailure::unreachable, what};
}

std::string chat_endpoint(const std::string& text) {
  constexpr std::string_view kEnd = "/chat/completions";
  const Url url = parse_url(text);
  std::string path = part_of(url, CURLUPART_PATH);
  while (path.ends_with('/')) path.pop_back();
  if (!path.ends_with(kEnd)) {
    if (path.empty()) path = "/v1";
    path += kEnd;
  }
  set_part(url, CURLUPART_PATH, path);
  return part_of(url, CURLUPART_URL);
}

bool is_in_the_clear(const std::string& text) {
  const Url url = parse_url(text);
  const std::string host = part_of(url, CURLUPART_HOST);
  const bool here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  return part_of(url, CURLUPART_SCHEME) == "http" && !here;
}

}  // namespace tarsier
