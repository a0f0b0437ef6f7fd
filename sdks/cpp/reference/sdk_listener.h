// Listener filters: the part of the official SDK that the probes use, under the same names. Upstream has them from 1.39 on.
#pragma once

#include "sdk.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

enum class ListenerFilterStatus : uint32_t { Continue = 0, StopIteration = 1 };

// What a filter can do with the connection that was accepted.
class ListenerFilterHandle {
public:
  virtual ~ListenerFilterHandle();
  virtual std::optional<BufferView> getBufferChunk() = 0; // what has come, in `onData`
  virtual bool drainBuffer(size_t length) = 0;            // removes from the front: nothing behind the filter sees it
  virtual void setRequestedServerName(std::string_view name) = 0;
  virtual void setRequestedApplicationProtocols(std::span<const BufferView> protocols) = 0;
  virtual void closeSocket(std::string_view details) = 0;
  virtual int64_t writeToSocket(std::string_view data) = 0; // how many bytes went, or -1
  virtual void setDynamicMetadataString(std::string_view ns, std::string_view key, std::string_view value) = 0;
  virtual void setDynamicMetadataNumber(std::string_view ns, std::string_view key, double value) = 0;
  virtual MetricsResult incrementCounterValue(MetricID id, uint64_t value) = 0;
  virtual bool logEnabled(LogLevel level) = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

// What a filter configuration can do.
class ListenerFilterConfigHandle {
public:
  virtual ~ListenerFilterConfigHandle();
  virtual std::pair<MetricID, MetricsResult> defineCounter(std::string_view name) = 0;
  virtual bool logEnabled(LogLevel level) = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

// One filter on one connection; the module's to implement.
class ListenerFilter {
public:
  virtual ~ListenerFilter();
  virtual ListenerFilterStatus onAccept();
  virtual ListenerFilterStatus onData(size_t length);
  virtual void onClose();
  virtual void onDestroy();
  virtual size_t maxReadBytes(); // 0: `onData` is not called
};

// One filter configuration: makes the filters. Used by several threads.
class ListenerFilterFactory {
public:
  virtual ~ListenerFilterFactory();
  virtual std::unique_ptr<ListenerFilter> create(ListenerFilterHandle& handle) = 0;
};

// One filter name: makes the configurations. Null refuses one.
class ListenerFilterConfigFactory {
public:
  virtual ~ListenerFilterConfigFactory();
  virtual std::unique_ptr<ListenerFilterFactory> create(ListenerFilterConfigHandle& handle,
                                                        std::string_view config_view) = 0;
};

using ListenerFilterConfigFactoryPtr = std::unique_ptr<ListenerFilterConfigFactory>;
using ListenerFilterConfigFactoryRegistry = Registry<ListenerFilterConfigFactory>;
using ListenerFilterConfigFactoryRegister = Register<ListenerFilterConfigFactory>;

} // namespace DynamicModules
} // namespace Envoy

// Registers CLASS under NAME when the module is loaded.
#define REGISTER_LISTENER_FILTER_CONFIG_FACTORY(CLASS, NAME)                                                           \
  static const ::Envoy::DynamicModules::ListenerFilterConfigFactoryRegister register_##CLASS(                          \
      NAME, std::make_unique<CLASS>())

#endif
