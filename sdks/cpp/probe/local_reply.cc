// `local_reply`: answers by itself.
#include "pass_through.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace dmconform {
namespace {

class LocalReply final : public PassThrough {
public:
  using Config = uint32_t;
  static std::optional<Config> parse(std::string_view text) {
    Config status = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(status) : std::nullopt;
  }

  LocalReply(dm::HttpFilterHandle& handle, Config status) : handle_(handle), status_(status) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    const std::array headers = {dm::HeaderView("x-dmconform-local", kLanguage)};
    handle_.sendLocalResponse(status_, headers, "local reply", "dmconform_local_reply");
    return dm::HeadersStatus::Stop;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config status_;
};

using LocalReplyFactory = ConfigFactoryOf<LocalReply>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(LocalReplyFactory, "local_reply");

} // namespace
} // namespace dmconform
