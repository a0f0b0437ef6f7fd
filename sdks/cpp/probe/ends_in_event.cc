// `ends_in_event`: answers a request in an event, and counts how many of its streams were reported complete.
#include "other_thread.h"
#include "pass_through.h"

namespace dmconform {
namespace {

class EndsInEvent final : public PassThrough {
public:
  using Config = dm::MetricID; // of the counter
  static std::optional<Config> parse(dm::HttpFilterConfigHandle& handle, std::string_view text) {
    const auto [complete, result] = handle.defineCounter("dmconform_complete");
    return text.empty() && result == dm::MetricsResult::Success ? std::optional<Config>(complete) : std::nullopt;
  }

  EndsInEvent(dm::HttpFilterHandle& handle, const Config& complete) : handle_(handle), complete_(complete) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    thread_.schedule(handle_, [this] { handle_.sendLocalResponse(200, {}, "ended in an event", "dmconform"); });
    return dm::HeadersStatus::StopAllAndBuffer;
  }

  void onStreamComplete() override { handle_.incrementCounterValue(complete_, 1); }

private:
  dm::HttpFilterHandle& handle_;
  const Config complete_;
  OtherThread thread_;
};

using EndsInEventFactory = ConfigFactoryOf<EndsInEvent>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(EndsInEventFactory, "ends_in_event");

} // namespace
} // namespace dmconform
