// `per_route`: tells its own configuration and that of the route.
#include "pass_through.h"

#include <stdexcept>
#include <string>

namespace dmconform {
namespace {

struct RouteText final : public dm::RouteSpecificConfig {
  explicit RouteText(std::string_view given) : text(given) {}
  const std::string text;
};

class PerRoute final : public PassThrough {
public:
  using Config = std::string;

  PerRoute(dm::HttpFilterHandle& handle, const Config& text) : handle_(handle), text_(text) {}

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    const auto* route = static_cast<const RouteText*>(handle_.getMostSpecificConfig());
    headers.set("x-dmconform-config", text_);
    headers.set("x-dmconform-route", route == nullptr ? "none" : std::string_view(route->text));
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config& text_; // the factory's, which outlives its filters
};

class PerRouteFactory final : public dm::HttpFilterConfigFactory {
public:
  std::unique_ptr<dm::HttpFilterFactory> create(dm::HttpFilterConfigHandle&, std::string_view text) override {
    return std::make_unique<FactoryOf<PerRoute>>(PerRoute::Config(text));
  }

  std::unique_ptr<dm::RouteSpecificConfig> createPerRoute(std::string_view text) override {
    if (text == "panic") {
      throw std::runtime_error("dmconform panic in per_route_configuration");
    }
    return text == "refuse" ? nullptr : std::make_unique<RouteText>(text);
  }
};

REGISTER_HTTP_FILTER_CONFIG_FACTORY(PerRouteFactory, "per_route");

} // namespace
} // namespace dmconform
