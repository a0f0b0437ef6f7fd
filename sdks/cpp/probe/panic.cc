// `panic`: throws in one callback. No release's C++ SDK has a guard to opt into, so `guarded` is refused.
#include "other_thread.h"
#include "panic.h"
#include "pass_through.h"

#include <array>
#include <cstdint>
#include <string>

namespace dmconform {
namespace {

constexpr std::array kHttpCallbacks = {
    std::string_view("none"),
    std::string_view("creation"),
    std::string_view("request_headers"),
    std::string_view("request_body"),
    std::string_view("request_trailers"),
    std::string_view("response_headers"),
    std::string_view("response_body"),
    std::string_view("response_trailers"),
    std::string_view("stream_complete"),
    std::string_view("callout_done"),
    std::string_view("scheduled"),
#if DMCONFORM_SDK_MINOR >= 138 // new in 1.38; before, a filter's end is its destructor's, which cannot throw
    std::string_view("destroy"),
#endif
};

class Panic final : public PassThrough, public dm::HttpCalloutCallback {
public:
  using Config = std::string; // the callback's name
  static std::optional<Config> parse(std::string_view text) { return panicCallback(kHttpCallbacks, text); }

  Panic(dm::HttpFilterHandle& handle, const Config& callback) : handle_(handle), callback_(callback) {
    arm(handle.requestHeaders());
    check("creation");
  }

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    arm(headers); // a host of 1.37 had no request yet when the filter was created
    check("request_headers");
    if (armedFor("callout_done")) {
      startCallout();
    } else if (armedFor("scheduled")) {
      thread_.schedule(handle_, [this] { check("scheduled"); });
    } else {
      return dm::HeadersStatus::Continue;
    }
    // Not `Stop`: a body would set the request going again.
    return dm::HeadersStatus::StopAllAndBuffer;
  }

  dm::BodyStatus onRequestBody(dm::BodyBuffer&, bool) override {
    check("request_body");
    return dm::BodyStatus::Continue;
  }

  dm::TrailersStatus onRequestTrailers(dm::HeaderMap&) override {
    check("request_trailers");
    return dm::TrailersStatus::Continue;
  }

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap&, bool) override {
    check("response_headers");
    return dm::HeadersStatus::Continue;
  }

  dm::BodyStatus onResponseBody(dm::BodyBuffer&, bool) override {
    check("response_body");
    return dm::BodyStatus::Continue;
  }

  dm::TrailersStatus onResponseTrailers(dm::HeaderMap&) override {
    check("response_trailers");
    return dm::TrailersStatus::Continue;
  }

  void onStreamComplete() override { check("stream_complete"); }

#if DMCONFORM_SDK_MINOR >= 138
  void onDestroy() override { check("destroy"); }
#endif

  void onHttpCalloutDone(dm::HttpCalloutResult, std::span<const dm::HeaderView>,
                         std::span<const dm::BufferView>) override {
    check("callout_done");
  }

private:
  void arm(const dm::HeaderMap& headers) { armed_ = armed_ || !headers.getOne("x-dmconform-panic").empty(); }

  bool armedFor(std::string_view callback) const { return armed_ && callback == callback_; }

  void check(std::string_view callback) const {
    if (armedFor(callback)) {
      throwIn(callback);
    }
  }

  void startCallout() {
    constexpr uint64_t timeout_ms = 5000;
    const std::array headers = {dm::HeaderView(":method", "GET"), dm::HeaderView(":path", "/"),
                                dm::HeaderView("host", "dmconform")};
    handle_.httpCallout("upstream", headers, "", timeout_ms, *this);
  }

  dm::HttpFilterHandle& handle_;
  const Config& callback_; // the factory's, which outlives its filters
  bool armed_ = false;
  OtherThread thread_;
};

using PanicFactory = ConfigFactoryOf<Panic>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(PanicFactory, "panic");

} // namespace
} // namespace dmconform
