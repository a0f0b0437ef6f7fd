#include "host_listener.h"

#include "lend.h"
#include "log.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

std::optional<BufferView> HostListenerHandle::getBufferChunk() {
  envoy_dynamic_module_type_envoy_buffer chunk{nullptr, 0};
  const bool found = envoy_dynamic_module_callback_listener_filter_get_buffer_chunk(accepted_, &chunk);
  return found ? std::optional(BufferView(text(chunk))) : std::nullopt;
}

bool HostListenerHandle::drainBuffer(size_t length) {
  return envoy_dynamic_module_callback_listener_filter_drain_buffer(accepted_, length);
}

void HostListenerHandle::setRequestedServerName(std::string_view name) {
  envoy_dynamic_module_callback_listener_filter_set_requested_server_name(accepted_, lend(name));
}

void HostListenerHandle::setRequestedApplicationProtocols(std::span<const BufferView> protocols) {
  envoy_dynamic_module_callback_listener_filter_set_requested_application_protocols(accepted_, lend(protocols),
                                                                                    protocols.size());
}

void HostListenerHandle::closeSocket(std::string_view details) {
  envoy_dynamic_module_callback_listener_filter_close_socket(accepted_, lend(details));
}

int64_t HostListenerHandle::writeToSocket(std::string_view data) {
  return envoy_dynamic_module_callback_listener_filter_write_to_socket(accepted_, lend(data));
}

void HostListenerHandle::setDynamicMetadataString(std::string_view ns, std::string_view key, std::string_view value) {
  envoy_dynamic_module_callback_listener_filter_set_dynamic_metadata_string(accepted_, lend(ns), lend(key),
                                                                            lend(value));
}

void HostListenerHandle::setDynamicMetadataNumber(std::string_view ns, std::string_view key, double value) {
  envoy_dynamic_module_callback_listener_filter_set_dynamic_metadata_number(accepted_, lend(ns), lend(key), value);
}

MetricsResult HostListenerHandle::incrementCounterValue(MetricID id, uint64_t value) {
  return static_cast<MetricsResult>(
      envoy_dynamic_module_callback_listener_filter_increment_counter(accepted_, id, value));
}

bool HostListenerHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostListenerHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

std::pair<MetricID, MetricsResult> HostListenerConfigHandle::defineCounter(std::string_view name) {
  size_t id = 0;
  const auto result = envoy_dynamic_module_callback_listener_filter_config_define_counter(config_, lend(name), &id);
  return {id, static_cast<MetricsResult>(result)};
}

bool HostListenerConfigHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostListenerConfigHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

} // namespace DynamicModules
} // namespace Envoy

#endif
