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
  bool drainBuffer(size_t length) override;
  void setRequestedServerName(std::string_view name) override;
  void setRequestedApplicationProtocols(std::span<const BufferView> protocols) override;
  void closeSocket(std::string_view details) override;
  int64_t writeToSocket(std::string_view data) override;
  void setDynamicMetadataString(std::string_view ns, std::string_view key, std::string_view value) override;
  void setDynamicMetadataNumber(std::string_view ns, std::string_view key, double value) override;
  MetricsResult incrementCounterValue(MetricID id, uint64_t value) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

private:
  void* accepted_;
};

class HostListenerConfigHandle final : public ListenerFilterConfigHandle {
public:
  explicit HostListenerConfigHandle(void* config) : config_(config) {}
  std::pair<MetricID, MetricsResult> defineCounter(std::string_view name) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

private:
  void* config_;
};

} // namespace DynamicModules
} // namespace Envoy

#endif
