// `scheduled`: waits for an event that a thread of its own schedules.
#include "other_thread.h"
#include "pass_through.h"

namespace dmconform {
namespace {

class Scheduled final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view) { return Config(); }

  Scheduled(dm::HttpFilterHandle& handle, const Config&) : handle_(handle) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    thread_.schedule(handle_, [this] {
      handle_.requestHeaders().set("x-dmconform-scheduled", kLanguage);
      handle_.continueRequest();
    });
    // Not `Stop`: a body would set the request going again.
    return dm::HeadersStatus::StopAllAndBuffer;
  }

private:
  dm::HttpFilterHandle& handle_;
  OtherThread thread_;
};

using ScheduledFactory = ConfigFactoryOf<Scheduled>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(ScheduledFactory, "scheduled");

} // namespace
} // namespace dmconform
