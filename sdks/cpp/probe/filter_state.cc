// `filter_state`: writes filter state and reads it again.
#include "pass_through.h"

#include <string>

namespace dmconform {
namespace {

constexpr std::string_view kState = "dmconform.state";

class FilterState final : public PassThrough {
public:
  using Config = std::string;
  static std::optional<Config> parse(std::string_view text) { return Config(text); }

  FilterState(dm::HttpFilterHandle& handle, const Config& text) : handle_(handle), text_(text) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    handle_.setFilterState(kState, text_);
    return dm::HeadersStatus::Continue;
  }

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-state", handle_.getFilterState(kState).value_or("-"));
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config& text_; // the factory's, which outlives its filters
};

using FilterStateFactory = ConfigFactoryOf<FilterState>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(FilterStateFactory, "filter_state");

} // namespace
} // namespace dmconform
