// `transform`: adds a header to each message and to its trailers, and wraps its body. `marks` does the same, with any bytes
// as its configuration, and tells of its life.
#include "life.h"
#include "pass_through.h"

#include <memory>
#include <string>

namespace dmconform {
namespace {

// Puts `text` in the place of the whole body. Both parts may be one and the same buffer, hence one after the other.
void replaceBody(dm::BodyBuffer& buffered, dm::BodyBuffer& received, dm::BodyBuffer& target, const std::string& text) {
  buffered.drain(buffered.getSize());
  received.drain(received.getSize());
  target.append(text);
}

class Transform : public PassThrough {
public:
  using Config = std::string;
  static std::optional<Config> parse(std::string_view text) { return Config(text); }

  Transform(dm::HttpFilterHandle& handle, const Config& text) : handle_(handle), text_(text) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    const std::string_view given = headers.getOne("x-dmconform-in");
    headers.set("x-dmconform-request", std::format("{} {} {}", kLanguage, text_, given.empty() ? "-" : given));
    headers.remove("content-length");
    return dm::HeadersStatus::Continue;
  }

  dm::BodyStatus onRequestBody(dm::BodyBuffer& body, bool end_stream) override {
    if (!end_stream) {
      return dm::BodyStatus::StopAndBuffer;
    }
    wrapRequest(body);
    return dm::BodyStatus::Continue;
  }

  // A body that trailers follow ends here.
  dm::TrailersStatus onRequestTrailers(dm::HeaderMap& trailers) override {
    trailers.set("x-dmconform-request-trailer", mark());
    wrapRequest(handle_.bufferedRequestBody());
    return dm::TrailersStatus::Continue;
  }

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-response", mark());
    headers.remove("content-length");
    return dm::HeadersStatus::Continue;
  }

  dm::BodyStatus onResponseBody(dm::BodyBuffer& body, bool end_stream) override {
    if (!end_stream) {
      return dm::BodyStatus::StopAndBuffer;
    }
    wrapResponse(body);
    return dm::BodyStatus::Continue;
  }

  dm::TrailersStatus onResponseTrailers(dm::HeaderMap& trailers) override {
    trailers.set("x-dmconform-response-trailer", mark());
    wrapResponse(handle_.bufferedResponseBody());
    return dm::TrailersStatus::Continue;
  }

private:
  std::string mark() const { return std::format("{} {}", kLanguage, text_); }

  void wrapRequest(dm::BodyBuffer& target) {
    const std::string body = dm::Utility::readWholeRequestBody(handle_);
    if (!body.empty()) {
      replaceBody(handle_.bufferedRequestBody(), handle_.receivedRequestBody(), target, "req[" + body + "]");
    }
  }

  void wrapResponse(dm::BodyBuffer& target) {
    const std::string body = dm::Utility::readWholeResponseBody(handle_);
    if (!body.empty()) {
      replaceBody(handle_.bufferedResponseBody(), handle_.receivedResponseBody(), target, "res[" + body + "]");
    }
  }

  dm::HttpFilterHandle& handle_;
  const Config& text_; // the factory's, which outlives its filters
};

using TransformFactory = ConfigFactoryOf<Transform>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(TransformFactory, "transform");

class Marks final : public Transform {
public:
  struct Config {
    std::unique_ptr<Life> life;
    std::string text;
  };
  static std::optional<Config> parse(std::string_view bytes) {
    auto life = std::make_unique<Life>("http_filter", "configuration", bytes);
    std::string text = std::format("[{}]", life->config());
    return Config{std::move(life), std::move(text)};
  }

  Marks(dm::HttpFilterHandle& handle, const Config& config)
      : Transform(handle, config.text), life_(*config.life, "filter") {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool end_stream) override {
    life_.used();
    return Transform::onRequestHeaders(headers, end_stream);
  }

private:
  const Life life_;
};

using MarksFactory = ConfigFactoryOf<Marks>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(MarksFactory, "marks");

} // namespace
} // namespace dmconform
