// `empty_value`: sets headers to an empty value.
#include "pass_through.h"

namespace dmconform {
namespace {

class EmptyValue final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view) { return Config(); }

  EmptyValue(dm::HttpFilterHandle&, const Config&) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-empty", "");
    return dm::HeadersStatus::Continue;
  }

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-empty", "");
    return dm::HeadersStatus::Continue;
  }
};

using EmptyValueFactory = ConfigFactoryOf<EmptyValue>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(EmptyValueFactory, "empty_value");

} // namespace
} // namespace dmconform
