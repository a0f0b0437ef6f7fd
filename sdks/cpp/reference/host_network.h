// The handles of network filters, made of the ABI's callbacks.
#pragma once

#include "sdk_network.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

class HostReadBuffer final : public NetworkBuffer {
public:
  explicit HostReadBuffer(void* connection) : connection_(connection) {}
  std::vector<BufferView> getChunks() const override;
  size_t getSize() const override;
  bool drain(size_t size) override;
  bool prepend(std::string_view data) override;
  bool append(std::string_view data) override;

private:
  void* connection_;
};

class HostWriteBuffer final : public NetworkBuffer {
public:
  explicit HostWriteBuffer(void* connection) : connection_(connection) {}
  std::vector<BufferView> getChunks() const override;
  size_t getSize() const override;
  bool drain(size_t size) override;
  bool prepend(std::string_view data) override;
  bool append(std::string_view data) override;

private:
  void* connection_;
};

class HostNetworkHandle final : public NetworkFilterHandle {
public:
  explicit HostNetworkHandle(void* connection) : connection_(connection) {}
  NetworkBuffer& readBuffer() override { return read_buffer_; }
  NetworkBuffer& writeBuffer() override { return write_buffer_; }
  void closeWithDetails(NetworkConnectionCloseType close_type, std::string_view details) override;
  MetricsResult incrementCounterValue(MetricID id, uint64_t value) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

private:
  void* connection_;
  HostReadBuffer read_buffer_{connection_};
  HostWriteBuffer write_buffer_{connection_};
};

class HostNetworkConfigHandle final : public NetworkFilterConfigHandle {
public:
  explicit HostNetworkConfigHandle(void* config) : config_(config) {}
  std::pair<MetricID, MetricsResult> defineCounter(std::string_view name) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

private:
  void* config_;
};

} // namespace DynamicModules
} // namespace Envoy

#endif
