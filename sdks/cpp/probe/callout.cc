// `callout`: asks another cluster, and answers with what that says.
#include "pass_through.h"

#include <array>
#include <cstdint>
#include <string>

namespace dmconform {
namespace {

class Callout final : public PassThrough, public dm::HttpCalloutCallback {
public:
  using Config = std::string; // the cluster
  static std::optional<Config> parse(std::string_view text) { return Config(text); }

  Callout(dm::HttpFilterHandle& handle, const Config& cluster) : handle_(handle), cluster_(cluster) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    constexpr uint64_t timeout_ms = 5000;
    const std::array headers = {dm::HeaderView(":method", "GET"), dm::HeaderView(":path", "/callout"),
                                dm::HeaderView("host", "dmconform")};
    const auto started = handle_.httpCallout(cluster_, headers, "", timeout_ms, *this).first;
    if (started != dm::HttpCalloutInitResult::Success) {
      fail("callout not started");
    }
    // Not `Stop`: a body would set the request going again.
    return dm::HeadersStatus::StopAllAndBuffer;
  }

  void onHttpCalloutDone(dm::HttpCalloutResult result, std::span<const dm::HeaderView> headers,
                         std::span<const dm::BufferView> body_chunks) override {
    if (result != dm::HttpCalloutResult::Success) {
      fail("callout failed");
      return;
    }
    std::string told(kLanguage);
    for (const dm::HeaderView& header : headers) {
      if (header.key() == ":status") {
        told.append(" ").append(header.value());
      }
    }
    std::string body;
    for (const dm::BufferView& chunk : body_chunks) {
      body.append(chunk.toStringView());
    }
    const std::array answer = {dm::HeaderView("x-dmconform-callout", told)};
    handle_.sendLocalResponse(200, answer, body, "dmconform_callout");
  }

private:
  void fail(std::string_view body) { handle_.sendLocalResponse(502, {}, body, "dmconform_callout"); }

  dm::HttpFilterHandle& handle_;
  const Config& cluster_; // the factory's, which outlives its filters
};

using CalloutFactory = ConfigFactoryOf<Callout>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(CalloutFactory, "callout");

} // namespace
} // namespace dmconform
