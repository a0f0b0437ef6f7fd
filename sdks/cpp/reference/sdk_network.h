// Network filters: the part of the official SDK that the probes use, under the same names. Upstream has them from 1.39 on.
#pragma once

#include "sdk.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

enum class NetworkFilterStatus : uint32_t { Continue = 0, Stop = 1 };
enum class NetworkConnectionCloseType : uint32_t { FlushWrite, NoFlush, FlushWriteAndDelay, Abort, AbortReset };
enum class NetworkConnectionEvent : uint32_t { RemoteClose, LocalClose, Connected, ConnectedZeroRtt };

// What came from the client, or goes to it.
class NetworkBuffer {
public:
  virtual ~NetworkBuffer();
  virtual std::vector<BufferView> getChunks() const = 0;
  virtual size_t getSize() const = 0;
  // False outside of the callback for its direction.
  virtual bool drain(size_t size) = 0; // removes from the front
  virtual bool prepend(std::string_view data) = 0;
  virtual bool append(std::string_view data) = 0;
};

// What a filter can do with its connection.
class NetworkFilterHandle {
public:
  virtual ~NetworkFilterHandle();
  virtual NetworkBuffer& readBuffer() = 0;
  virtual NetworkBuffer& writeBuffer() = 0;
  virtual void closeWithDetails(NetworkConnectionCloseType close_type, std::string_view details) = 0;
  virtual MetricsResult incrementCounterValue(MetricID id, uint64_t value) = 0;
  virtual bool logEnabled(LogLevel level) = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

// What a filter configuration can do.
class NetworkFilterConfigHandle {
public:
  virtual ~NetworkFilterConfigHandle();
  virtual std::pair<MetricID, MetricsResult> defineCounter(std::string_view name) = 0;
  virtual bool logEnabled(LogLevel level) = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

// One filter on one connection; the module's to implement.
class NetworkFilter {
public:
  virtual ~NetworkFilter();
  virtual NetworkFilterStatus onNewConnection() = 0;
  virtual NetworkFilterStatus onRead(NetworkBuffer& data, bool end_stream) = 0;
  virtual NetworkFilterStatus onWrite(NetworkBuffer& data, bool end_stream) = 0;
  virtual void onEvent(NetworkConnectionEvent event) = 0;
  virtual void onDestroy() = 0;
};

// One filter configuration: makes the filters. Used by several threads.
class NetworkFilterFactory {
public:
  virtual ~NetworkFilterFactory();
  virtual std::unique_ptr<NetworkFilter> create(NetworkFilterHandle& handle) = 0;
};

// One filter name: makes the configurations. Null refuses one.
class NetworkFilterConfigFactory {
public:
  virtual ~NetworkFilterConfigFactory();
  virtual std::unique_ptr<NetworkFilterFactory> create(NetworkFilterConfigHandle& handle,
                                                       std::string_view config_view) = 0;
};

using NetworkFilterConfigFactoryPtr = std::unique_ptr<NetworkFilterConfigFactory>;
using NetworkFilterConfigFactoryRegistry = Registry<NetworkFilterConfigFactory>;
using NetworkFilterConfigFactoryRegister = Register<NetworkFilterConfigFactory>;

} // namespace DynamicModules
} // namespace Envoy

// Registers CLASS under NAME when the module is loaded.
#define REGISTER_NETWORK_FILTER_CONFIG_FACTORY(CLASS, NAME)                                                            \
  static const ::Envoy::DynamicModules::NetworkFilterConfigFactoryRegister register_##CLASS(                           \
      NAME, std::make_unique<CLASS>())

#endif
