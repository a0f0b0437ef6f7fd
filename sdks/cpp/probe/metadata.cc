// `metadata`: writes dynamic metadata and reads it again.
#include "pass_through.h"

#include <string>

namespace dmconform {
namespace {

constexpr std::string_view kNamespace = "dmconform";

class Metadata final : public PassThrough {
public:
  using Config = std::string;
  static std::optional<Config> parse(std::string_view text) { return Config(text); }

  Metadata(dm::HttpFilterHandle& handle, const Config& text) : handle_(handle), text_(text) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    handle_.setMetadata(kNamespace, "text", std::string_view(text_));
    handle_.setMetadata(kNamespace, "number", 7.0);
    return dm::HeadersStatus::Continue;
  }

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    const std::string text(handle_.getMetadataString(kNamespace, "text").value_or("-"));
    const auto number = handle_.getMetadataNumber(kNamespace, "number");
    headers.set("x-dmconform-metadata", text + " " + (number ? std::format("{}", *number) : "-"));
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config& text_; // the factory's, which outlives its filters
};

using MetadataFactory = ConfigFactoryOf<Metadata>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(MetadataFactory, "metadata");

} // namespace
} // namespace dmconform
