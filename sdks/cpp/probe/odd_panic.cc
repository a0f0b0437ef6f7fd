// `odd_panic`: throws what is no exception of the library. A destructor that throws ends the process in this language, whoever
// guards, so the other kinds are refused.
#include "pass_through.h"

namespace dmconform {
namespace {

class OddPanic final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view text) {
    return text == "value" ? std::optional<Config>(Config()) : std::nullopt;
  }

  OddPanic(dm::HttpFilterHandle&, const Config&) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    if (!headers.getOne("x-dmconform-panic").empty()) {
      throw 77;
    }
    return dm::HeadersStatus::Continue;
  }
};

using OddPanicFactory = ConfigFactoryOf<OddPanic>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(OddPanicFactory, "odd_panic");

} // namespace
} // namespace dmconform
