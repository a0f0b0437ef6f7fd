// What the probe's filters share.
#pragma once

#include "dm.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace dmconform {

inline constexpr std::string_view kLanguage = "cpp";

// A filter that does nothing; the others override what they need.
class PassThrough : public dm::HttpFilter {
public:
  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override { return dm::HeadersStatus::Continue; }
  dm::BodyStatus onRequestBody(dm::BodyBuffer&, bool) override { return dm::BodyStatus::Continue; }
  dm::TrailersStatus onRequestTrailers(dm::HeaderMap&) override { return dm::TrailersStatus::Continue; }
  dm::HeadersStatus onResponseHeaders(dm::HeaderMap&, bool) override { return dm::HeadersStatus::Continue; }
  dm::BodyStatus onResponseBody(dm::BodyBuffer&, bool) override { return dm::BodyStatus::Continue; }
  dm::TrailersStatus onResponseTrailers(dm::HeaderMap&) override { return dm::TrailersStatus::Continue; }
  void onStreamComplete() override {}
#if DMCONFORM_SDK_MINOR >= 138 // new in 1.38
  void onDestroy() override {}
#endif
};

// Makes filters of the class FILTER, each with the handle of its stream and the configuration.
template <class Filter> class FactoryOf final : public dm::HttpFilterFactory {
public:
  explicit FactoryOf(typename Filter::Config config) : config_(std::move(config)) {}
  std::unique_ptr<dm::HttpFilter> create(dm::HttpFilterHandle& handle) override {
    return std::make_unique<Filter>(handle, config_);
  }

private:
  const typename Filter::Config config_;
};

// Reads configurations with `FILTER::parse`, which returns none for one that it refuses. It may also take the
// configuration's handle.
template <class Filter> class ConfigFactoryOf final : public dm::HttpFilterConfigFactory {
public:
  std::unique_ptr<dm::HttpFilterFactory> create(dm::HttpFilterConfigHandle& handle, std::string_view text) override {
    std::optional<typename Filter::Config> config;
    if constexpr (requires { Filter::parse(handle, text); }) {
      config = Filter::parse(handle, text);
    } else {
      config = Filter::parse(text);
    }
    return config ? std::make_unique<FactoryOf<Filter>>(std::move(*config)) : nullptr;
  }
};

} // namespace dmconform
