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

std::vector<BufferView> HostWriteBuffer::getChunks() const {
  return chunksOf(connection_, envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks_size,
                  envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks);
}

size_t HostWriteBuffer::getSize() const {
  return envoy_dynamic_module_callback_network_filter_get_write_buffer_size(connection_);
}

void HostNetworkHandle::closeWithDetails(NetworkConnectionCloseType close_type, std::string_view details) {
  envoy_dynamic_module_callback_network_filter_close_with_details(
      connection_, static_cast<envoy_dynamic_module_type_network_connection_close_type>(close_type), lend(details));
}

bool HostNetworkHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostNetworkHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

bool HostNetworkConfigHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostNetworkConfigHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

} // namespace DynamicModules
} // namespace Envoy

#endif
