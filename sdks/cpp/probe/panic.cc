// `panic`: throws in one callback. No release's C++ SDK has a guard to opt into, so `guarded` is refused.
#include "pass_through.h"

#include <stdexcept>
#include <string>

namespace dmconform {
namespace {

class Panic final : public PassThrough {
public:
  using Config = std::string; // the callback's name
  static std::optional<Config> parse(std::string_view text) {
    const bool known = text == "request_headers" || text == "request_body" || text == "response_headers" ||
                       text == "response_body";
    return known ? std::optional<Config>(text) : std::nullopt;
  }

  Panic(dm::HttpFilterHandle&, const Config& callback) : callback_(callback) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    armed_ = !headers.get("x-dmconform-panic").empty();
    throwIn("request_headers");
    return dm::HeadersStatus::Continue;
  }

  dm::BodyStatus onRequestBody(dm::BodyBuffer&, bool) override {
    throwIn("request_body");
    return dm::BodyStatus::Continue;
  }

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap&, bool) override {
    throwIn("response_headers");
    return dm::HeadersStatus::Continue;
  }

  dm::BodyStatus onResponseBody(dm::BodyBuffer&, bool) override {
    throwIn("response_body");
    return dm::BodyStatus::Continue;
  }

private:
  void throwIn(std::string_view callback) const {
    if (armed_ && callback == callback_) {
      throw std::runtime_error(std::format("dmconform panic in {}", callback));
    }
  }

  const Config& callback_; // the factory's, which outlives its filters
  bool armed_ = false;
};

using PanicFactory = ConfigFactoryOf<Panic>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(PanicFactory, "panic");

} // namespace
} // namespace dmconform
