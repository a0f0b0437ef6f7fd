// `metrics`: a counter, a gauge and a histogram of its own.
#include "pass_through.h"

namespace dmconform {
namespace {

struct MetricIds {
  dm::MetricID count;
  dm::MetricID level;
  dm::MetricID size;
};

class Metrics final : public PassThrough {
public:
  using Config = MetricIds;
  static std::optional<Config> parse(dm::HttpFilterConfigHandle& handle, std::string_view) {
    const auto [count, counter_result] = handle.defineCounter("dmconform_count");
    const auto [level, gauge_result] = handle.defineGauge("dmconform_level");
    const auto [size, histogram_result] = handle.defineHistogram("dmconform_size");
    for (const dm::MetricsResult result : {counter_result, gauge_result, histogram_result}) {
      if (result != dm::MetricsResult::Success) {
        return std::nullopt;
      }
    }
    return Config{count, level, size};
  }

  Metrics(dm::HttpFilterHandle& handle, const Config& ids) : handle_(handle), ids_(ids) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    handle_.incrementCounterValue(ids_.count, 2);
    handle_.setGaugeValue(ids_.level, 5);
    handle_.recordHistogramValue(ids_.size, 3);
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config ids_;
};

using MetricsFactory = ConfigFactoryOf<Metrics>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(MetricsFactory, "metrics");

} // namespace
} // namespace dmconform
