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

void HostListenerHandle::closeSocket(std::string_view details) {
  envoy_dynamic_module_callback_listener_filter_close_socket(accepted_, lend(details));
}

bool HostListenerHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostListenerHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

bool HostListenerConfigHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostListenerConfigHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

} // namespace DynamicModules
} // namespace Envoy

#endif
