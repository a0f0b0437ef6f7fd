// This project's own SDK for HTTP filters in C++: the part of the official SDK that the probes use, under the same names,
// so that one probe source compiles against either; README.md says what differs.
#pragma once

#include "registry.h"

#include <cstddef>
#include <cstdint>
#include <format>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef DMCONFORM_SDK_MINOR
#error "DMCONFORM_SDK_MINOR must be defined: 138 for the SDK of Envoy 1.38"
#endif

namespace Envoy {
namespace DynamicModules {

// Bytes that somebody else owns. Laid out as the ABI's buffers, so that an array of one is an array of the other.
class BufferView {
public:
  BufferView() = default;
  BufferView(std::string_view data) : data_(data.data()), length_(data.size()) {}
  BufferView(const char* data, size_t length) : data_(data), length_(length) {}

  const char* data() const { return data_; }
  size_t size() const { return length_; }
  std::string_view toStringView() const { return {data_, length_}; }

private:
  const char* data_ = nullptr;
  size_t length_ = 0;
};

// A header that somebody else owns. Laid out as the ABI's headers.
class HeaderView {
public:
  HeaderView() = default;
  HeaderView(std::string_view key, std::string_view value) : key_(key), value_(value) {}

  std::string_view key() const { return key_.toStringView(); }
  std::string_view value() const { return value_.toStringView(); }

private:
  BufferView key_;
  BufferView value_;
};

// The body of a message, or the part of it that is here.
class BodyBuffer {
public:
  virtual ~BodyBuffer();
  virtual std::vector<BufferView> getChunks() const = 0;
  virtual size_t getSize() const = 0;
  virtual void drain(size_t size) = 0; // removes from the front
  virtual void append(std::string_view data) = 0;
};

// Headers or trailers of a message. Views hold until the next change.
class HeaderMap {
public:
  virtual ~HeaderMap();
  virtual std::vector<std::string_view> get(std::string_view key) const = 0;
  virtual std::string_view getOne(std::string_view key) const = 0; // empty where there is none
  virtual std::vector<HeaderView> getAll() const = 0;
  virtual size_t size() const = 0;
  virtual void set(std::string_view key, std::string_view value) = 0;
  virtual void add(std::string_view key, std::string_view value) = 0;
  virtual void remove(std::string_view key) = 0;
};

enum class LogLevel : uint32_t { Trace, Debug, Info, Warn, Error, Critical, Off };

enum class HttpCalloutInitResult : uint32_t {
  Success,
  MissingRequiredHeaders,
  ClusterNotFound,
  DuplicateCalloutId,
  CannotCreateRequest
};
enum class HttpCalloutResult : uint32_t { Success, Reset, ExceedResponseBufferLimit };

// Is told how a request of the module's own ended.
class HttpCalloutCallback {
public:
  virtual ~HttpCalloutCallback();
  virtual void onHttpCalloutDone(HttpCalloutResult result, std::span<const HeaderView> headers,
                                 std::span<const BufferView> body_chunks) = 0;
};

// What a route says to a filter; the module's to implement.
class RouteSpecificConfig {
public:
  virtual ~RouteSpecificConfig();
};

// Has functions run in the thread of a stream. May be used in any thread.
class Scheduler {
public:
  virtual ~Scheduler();
  virtual void schedule(std::function<void()> func) = 0;
};

using MetricID = uint64_t;
enum class MetricsResult : uint32_t { Success, NotFound, InvalidTags, Frozen };

// What a filter can do with its stream.
class HttpFilterHandle {
public:
  virtual ~HttpFilterHandle();
  // Dynamic metadata.
  virtual std::optional<std::string_view> getMetadataString(std::string_view ns, std::string_view key) = 0;
  virtual std::optional<double> getMetadataNumber(std::string_view ns, std::string_view key) = 0;
  virtual void setMetadata(std::string_view ns, std::string_view key, std::string_view value) = 0;
  virtual void setMetadata(std::string_view ns, std::string_view key, double value) = 0;
  virtual std::optional<std::string_view> getFilterState(std::string_view key) = 0;
  virtual void setFilterState(std::string_view key, std::string_view value) = 0;
  virtual void sendLocalResponse(uint32_t status, std::span<const HeaderView> headers, std::string_view body,
                                 std::string_view detail) = 0;
  virtual void continueRequest() = 0;
#if DMCONFORM_SDK_MINOR >= 139
  // Starts the stream anew, with these headers or, without any, its own; its filters end. False where that cannot be.
  virtual bool recreateStream(std::span<const HeaderView> headers = {}) = 0;
#endif
  virtual HeaderMap& requestHeaders() = 0;
  virtual BodyBuffer& bufferedRequestBody() = 0;
  virtual BodyBuffer& receivedRequestBody() = 0;
  virtual HeaderMap& requestTrailers() = 0;
  virtual HeaderMap& responseHeaders() = 0;
  virtual BodyBuffer& bufferedResponseBody() = 0;
  virtual BodyBuffer& receivedResponseBody() = 0;
  virtual HeaderMap& responseTrailers() = 0;
#if DMCONFORM_SDK_MINOR >= 138
  virtual bool receivedBufferedRequestBody() = 0;
  virtual bool receivedBufferedResponseBody() = 0;
#endif
  virtual const RouteSpecificConfig* getMostSpecificConfig() = 0; // null where the route has none
  virtual std::shared_ptr<Scheduler> getScheduler() = 0;
  // `cb` must live until it is called, or as long as the filter. The number is the callout's.
  virtual std::pair<HttpCalloutInitResult, uint64_t> httpCallout(std::string_view cluster,
                                                                 std::span<const HeaderView> headers,
                                                                 std::string_view body, uint64_t timeout_ms,
                                                                 HttpCalloutCallback& cb) = 0;
  virtual MetricsResult recordHistogramValue(MetricID id, uint64_t value,
                                             std::span<const BufferView> tags_values = {}) = 0;
  virtual MetricsResult setGaugeValue(MetricID id, uint64_t value, std::span<const BufferView> tags_values = {}) = 0;
  virtual MetricsResult incrementCounterValue(MetricID id, uint64_t value,
                                              std::span<const BufferView> tags_values = {}) = 0;
  virtual bool logEnabled(LogLevel level) = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

// What a filter configuration can do.
class HttpFilterConfigHandle {
public:
  virtual ~HttpFilterConfigHandle();
  virtual std::pair<MetricID, MetricsResult> defineHistogram(std::string_view name,
                                                             std::span<const BufferView> tags_keys = {}) = 0;
  virtual std::pair<MetricID, MetricsResult> defineGauge(std::string_view name,
                                                         std::span<const BufferView> tags_keys = {}) = 0;
  virtual std::pair<MetricID, MetricsResult> defineCounter(std::string_view name,
                                                           std::span<const BufferView> tags_keys = {}) = 0;
  virtual bool logEnabled(LogLevel level) = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

enum class HeadersStatus : uint32_t { Continue = 0, Stop = 1, StopAllAndBuffer = 3, StopAllAndWatermark = 4 };
enum class BodyStatus : uint32_t { Continue = 0, StopAndBuffer = 1, StopAndWatermark = 2, StopNoBuffer = 3 };
enum class TrailersStatus : uint32_t { Continue = 0, Stop = 1 };
#if DMCONFORM_SDK_MINOR >= 139
enum class LocalReplyStatus : uint32_t { Continue = 0, ContinueAndResetStream = 1 };
#endif

// One filter on one stream; the module's to implement.
class HttpFilter {
public:
  virtual ~HttpFilter();
  virtual HeadersStatus onRequestHeaders(HeaderMap& headers, bool end_stream) = 0;
  virtual BodyStatus onRequestBody(BodyBuffer& body, bool end_stream) = 0;
  virtual TrailersStatus onRequestTrailers(HeaderMap& trailers) = 0;
  virtual HeadersStatus onResponseHeaders(HeaderMap& headers, bool end_stream) = 0;
  virtual BodyStatus onResponseBody(BodyBuffer& body, bool end_stream) = 0;
  virtual TrailersStatus onResponseTrailers(HeaderMap& trailers) = 0;
  virtual void onStreamComplete() = 0;
#if DMCONFORM_SDK_MINOR >= 138
  virtual void onDestroy() = 0;
#endif
#if DMCONFORM_SDK_MINOR >= 139
  virtual LocalReplyStatus onLocalReply(uint32_t response_code, std::string_view details, bool reset_imminent);
#endif
};

// One filter configuration: makes the filters. Used by several threads.
class HttpFilterFactory {
public:
  virtual ~HttpFilterFactory();
  virtual std::unique_ptr<HttpFilter> create(HttpFilterHandle& handle) = 0;
};

// One filter name: makes the configurations, of filters and of routes. Null refuses one.
class HttpFilterConfigFactory {
public:
  virtual ~HttpFilterConfigFactory();
  virtual std::unique_ptr<HttpFilterFactory> create(HttpFilterConfigHandle& handle, std::string_view config_view) = 0;
  virtual std::unique_ptr<RouteSpecificConfig> createPerRoute(std::string_view config_view);
};

using HttpFilterConfigFactoryPtr = std::unique_ptr<HttpFilterConfigFactory>;

namespace Utility {

// The whole body, in a copy. To be called when its end was seen.
std::string readWholeRequestBody(HttpFilterHandle& handle);
std::string readWholeResponseBody(HttpFilterHandle& handle);

} // namespace Utility

using HttpFilterConfigFactoryRegistry = Registry<HttpFilterConfigFactory>;
using HttpFilterConfigFactoryRegister = Register<HttpFilterConfigFactory>;

} // namespace DynamicModules
} // namespace Envoy

// Registers CLASS under NAME when the module is loaded.
#define REGISTER_HTTP_FILTER_CONFIG_FACTORY(CLASS, NAME)                                                               \
  static const ::Envoy::DynamicModules::HttpFilterConfigFactoryRegister register_##CLASS(NAME,                         \
                                                                                         std::make_unique<CLASS>())

// Formats and logs, where the level is on.
#define DYM_LOG(HANDLE, LEVEL, ...)                                                                                    \
  do {                                                                                                                 \
    if ((HANDLE).logEnabled(LEVEL)) {                                                                                  \
      (HANDLE).log(LEVEL, std::format(__VA_ARGS__));                                                                   \
    }                                                                                                                  \
  } while (false)
