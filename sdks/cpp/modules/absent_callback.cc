// `absent_callback`: mentions a function of the host that no host has. In the modules `absent_lazy` and `absent_now` only.
#include "pass_through.h"

extern "C" void envoy_dynamic_module_callback_dmconform_absent(void);

namespace dmconform {
namespace {

class AbsentCallback final : public PassThrough {
public:
  using Config = bool; // whether to call it
  static std::optional<Config> parse(std::string_view text) {
    const bool call = text == "call";
    return call || text == "do_not_call" ? std::optional(call) : std::nullopt;
  }

  AbsentCallback(dm::HttpFilterHandle&, Config call) : call_(call) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    if (call_) {
      envoy_dynamic_module_callback_dmconform_absent();
    }
    return dm::HeadersStatus::Continue;
  }

private:
  const Config call_;
};

using AbsentCallbackFactory = ConfigFactoryOf<AbsentCallback>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(AbsentCallbackFactory, "absent_callback");

} // namespace
} // namespace dmconform
