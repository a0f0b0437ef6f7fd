// The handle of an HTTP filter configuration, made of the ABI's callbacks.
#pragma once

#include "sdk.h"

namespace Envoy {
namespace DynamicModules {

class HostConfigHandle final : public HttpFilterConfigHandle {
public:
  explicit HostConfigHandle(void* config) : config_(config) {}
  std::pair<MetricID, MetricsResult> defineHistogram(std::string_view name,
                                                     std::span<const BufferView> tags_keys) override;
  std::pair<MetricID, MetricsResult> defineGauge(std::string_view name, std::span<const BufferView> tags_keys) override;
  std::pair<MetricID, MetricsResult> defineCounter(std::string_view name,
                                                   std::span<const BufferView> tags_keys) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

private:
  void* config_;
};

} // namespace DynamicModules
} // namespace Envoy
