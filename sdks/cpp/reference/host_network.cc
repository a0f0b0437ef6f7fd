#include "host_network.h"

#include "lend.h"
#include "log.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {
namespace {

// Asks how many chunks there are, then for them: the ABI has such a pair of functions for either direction.
template <class Count, class Fill> std::vector<BufferView> chunksOf(void* connection, Count count, Fill fill) {
  std::vector<BufferView> chunks(count(connection));
  if (!chunks.empty()) {
    fill(connection, reinterpret_cast<envoy_dynamic_module_type_envoy_buffer*>(chunks.data()));
  }
  return chunks;
}

} // namespace

std::vector<BufferView> HostReadBuffer::getChunks() const {
  return chunksOf(connection_, envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks_size,
                  envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks);
}

size_t HostReadBuffer::getSize() const {
  return envoy_dynamic_module_callback_network_filter_get_read_buffer_size(connection_);
}

bool HostReadBuffer::drain(size_t size) {
  return envoy_dynamic_module_callback_network_filter_drain_read_buffer(connection_, size);
}

bool HostReadBuffer::prepend(std::string_view data) {
  return envoy_dynamic_module_callback_network_filter_prepend_read_buffer(connection_, lend(data));
}

bool HostReadBuffer::append(std::string_view data) {
  return envoy_dynamic_module_callback_network_filter_append_read_buffer(connection_, lend(data));
}

std::vector<BufferView> HostWriteBuffer::getChunks() const {
  return chunksOf(connection_, envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks_size,
                  envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks);
}

size_t HostWriteBuffer::getSize() const {
  return envoy_dynamic_module_callback_network_filter_get_write_buffer_size(connection_);
}

bool HostWriteBuffer::drain(size_t size) {
  return envoy_dynamic_module_callback_network_filter_drain_write_buffer(connection_, size);
}

bool HostWriteBuffer::prepend(std::string_view data) {
  return envoy_dynamic_module_callback_network_filter_prepend_write_buffer(connection_, lend(data));
}

bool HostWriteBuffer::append(std::string_view data) {
  return envoy_dynamic_module_callback_network_filter_append_write_buffer(connection_, lend(data));
}

void HostNetworkHandle::closeWithDetails(NetworkConnectionCloseType close_type, std::string_view details) {
  envoy_dynamic_module_callback_network_filter_close_with_details(
      connection_, static_cast<envoy_dynamic_module_type_network_connection_close_type>(close_type), lend(details));
}

MetricsResult HostNetworkHandle::incrementCounterValue(MetricID id, uint64_t value) {
  return static_cast<MetricsResult>(
      envoy_dynamic_module_callback_network_filter_increment_counter(connection_, id, value));
}

bool HostNetworkHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostNetworkHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

std::pair<MetricID, MetricsResult> HostNetworkConfigHandle::defineCounter(std::string_view name) {
  size_t id = 0;
  const auto result = envoy_dynamic_module_callback_network_filter_config_define_counter(config_, lend(name), &id);
  return {id, static_cast<MetricsResult>(result)};
}

bool HostNetworkConfigHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostNetworkConfigHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

} // namespace DynamicModules
} // namespace Envoy

#endif
