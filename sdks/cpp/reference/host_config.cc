#include "host_config.h"

#include "lend.h"
#include "log.h"

namespace Envoy {
namespace DynamicModules {
namespace {

// Calls `define`, one of the ABI's three functions, which are alike.
template <class Define>
std::pair<MetricID, MetricsResult> defined(Define define, void* config, std::string_view name,
                                           std::span<const BufferView> tags_keys) {
  size_t id = 0;
  const auto result = define(config, lend(name), lend(tags_keys), tags_keys.size(), &id);
  return {id, static_cast<MetricsResult>(result)};
}

} // namespace

std::pair<MetricID, MetricsResult> HostConfigHandle::defineHistogram(std::string_view name,
                                                                     std::span<const BufferView> tags_keys) {
  return defined(envoy_dynamic_module_callback_http_filter_config_define_histogram, config_, name, tags_keys);
}

std::pair<MetricID, MetricsResult> HostConfigHandle::defineGauge(std::string_view name,
                                                                 std::span<const BufferView> tags_keys) {
  return defined(envoy_dynamic_module_callback_http_filter_config_define_gauge, config_, name, tags_keys);
}

std::pair<MetricID, MetricsResult> HostConfigHandle::defineCounter(std::string_view name,
                                                                   std::span<const BufferView> tags_keys) {
  return defined(envoy_dynamic_module_callback_http_filter_config_define_counter, config_, name, tags_keys);
}

bool HostConfigHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostConfigHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

} // namespace DynamicModules
} // namespace Envoy
