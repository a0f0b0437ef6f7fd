// The handles of listener filters, made of the ABI's callbacks.
#pragma once

#include "sdk_listener.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

class HostListenerHandle final : public ListenerFilterHandle {
public:
  explicit HostListenerHandle(void* accepted) : accepted_(accepted) {}
  std::optional<BufferView> getBufferChunk() override;
  void closeSocket(std::string_view details) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

private:
  void* accepted_;
};

class HostListenerConfigHandle final : public ListenerFilterConfigHandle {
public:
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;
};

} // namespace DynamicModules
} // namespace Envoy

#endif
