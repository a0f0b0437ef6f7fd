// `nonsense`: returns from one callback what is no status.
#include "panic.h"
#include "pass_through.h"

#include <array>
#include <string>

namespace dmconform {
namespace {

constexpr uint32_t kNoStatus = 77;
constexpr std::array kMessageCallbacks = {
    std::string_view("request_headers"),  std::string_view("request_body"),  std::string_view("request_trailers"),
    std::string_view("response_headers"), std::string_view("response_body"), std::string_view("response_trailers"),
};

class Nonsense final : public PassThrough {
public:
  using Config = std::string; // the callback's name
  static std::optional<Config> parse(std::string_view text) { return oneOf(kMessageCallbacks, text); }

  Nonsense(dm::HttpFilterHandle&, const Config& callback) : callback_(callback) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    armed_ = !headers.getOne("x-dmconform-nonsense").empty();
    return status<dm::HeadersStatus>("request_headers");
  }
  dm::BodyStatus onRequestBody(dm::BodyBuffer&, bool) override { return status<dm::BodyStatus>("request_body"); }
  dm::TrailersStatus onRequestTrailers(dm::HeaderMap&) override {
    return status<dm::TrailersStatus>("request_trailers");
  }
  dm::HeadersStatus onResponseHeaders(dm::HeaderMap&, bool) override {
    return status<dm::HeadersStatus>("response_headers");
  }
  dm::BodyStatus onResponseBody(dm::BodyBuffer&, bool) override { return status<dm::BodyStatus>("response_body"); }
  dm::TrailersStatus onResponseTrailers(dm::HeaderMap&) override {
    return status<dm::TrailersStatus>("response_trailers");
  }

private:
  template <class Status> Status status(std::string_view callback) const {
    return armed_ && callback == callback_ ? static_cast<Status>(kNoStatus) : Status::Continue;
  }

  const Config& callback_; // the factory's, which outlives its filters
  bool armed_ = false;
};

using NonsenseFactory = ConfigFactoryOf<Nonsense>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(NonsenseFactory, "nonsense");

} // namespace
} // namespace dmconform
