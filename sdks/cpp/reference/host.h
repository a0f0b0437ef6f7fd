// The handle of a stream, made of the ABI's callbacks.
#pragma once

#include "callouts.h"
#include "host_messages.h"
#include "scheduler.h"

namespace Envoy {
namespace DynamicModules {

class HostFilterHandle final : public HttpFilterHandle {
public:
  explicit HostFilterHandle(void* stream) : stream_(stream) {}
  std::optional<std::string_view> getMetadataString(std::string_view ns, std::string_view key) override;
  std::optional<double> getMetadataNumber(std::string_view ns, std::string_view key) override;
  void setMetadata(std::string_view ns, std::string_view key, std::string_view value) override;
  void setMetadata(std::string_view ns, std::string_view key, double value) override;
  std::optional<std::string_view> getFilterState(std::string_view key) override;
  void setFilterState(std::string_view key, std::string_view value) override;
  void sendLocalResponse(uint32_t status, std::span<const HeaderView> headers, std::string_view body,
                         std::string_view detail) override;
  void continueRequest() override;
#if DMCONFORM_SDK_MINOR >= 139
  bool recreateStream(std::span<const HeaderView> headers) override;
#endif
  HeaderMap& requestHeaders() override { return request_headers_; }
  BodyBuffer& bufferedRequestBody() override { return buffered_request_body_; }
  BodyBuffer& receivedRequestBody() override { return received_request_body_; }
  HeaderMap& requestTrailers() override { return request_trailers_; }
  HeaderMap& responseHeaders() override { return response_headers_; }
  BodyBuffer& bufferedResponseBody() override { return buffered_response_body_; }
  BodyBuffer& receivedResponseBody() override { return received_response_body_; }
  HeaderMap& responseTrailers() override { return response_trailers_; }
#if DMCONFORM_SDK_MINOR >= 138
  bool receivedBufferedRequestBody() override;
  bool receivedBufferedResponseBody() override;
#endif
  const RouteSpecificConfig* getMostSpecificConfig() override;
  std::shared_ptr<Scheduler> getScheduler() override;
  std::pair<HttpCalloutInitResult, uint64_t> httpCallout(std::string_view cluster, std::span<const HeaderView> headers,
                                                         std::string_view body, uint64_t timeout_ms,
                                                         HttpCalloutCallback& cb) override;
  MetricsResult recordHistogramValue(MetricID id, uint64_t value, std::span<const BufferView> tags_values) override;
  MetricsResult setGaugeValue(MetricID id, uint64_t value, std::span<const BufferView> tags_values) override;
  MetricsResult incrementCounterValue(MetricID id, uint64_t value, std::span<const BufferView> tags_values) override;
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

  // Ends a response that cannot be trusted any more.
  void abandonResponse(std::string_view detail);

  // What the host reports: a request of the module's own is done, an event is due.
  void calloutDone(uint64_t callout, HttpCalloutResult result, std::span<const HeaderView> headers,
                   std::span<const BufferView> body_chunks);
  void scheduled(uint64_t event);

private:
  void* stream_;
  HostHeaders request_headers_{stream_, envoy_dynamic_module_type_http_header_type_RequestHeader};
  HostHeaders request_trailers_{stream_, envoy_dynamic_module_type_http_header_type_RequestTrailer};
  HostHeaders response_headers_{stream_, envoy_dynamic_module_type_http_header_type_ResponseHeader};
  HostHeaders response_trailers_{stream_, envoy_dynamic_module_type_http_header_type_ResponseTrailer};
  HostBody buffered_request_body_{stream_, envoy_dynamic_module_type_http_body_type_BufferedRequestBody};
  HostBody received_request_body_{stream_, envoy_dynamic_module_type_http_body_type_ReceivedRequestBody};
  HostBody buffered_response_body_{stream_, envoy_dynamic_module_type_http_body_type_BufferedResponseBody};
  HostBody received_response_body_{stream_, envoy_dynamic_module_type_http_body_type_ReceivedResponseBody};
  Callouts callouts_;
  std::shared_ptr<HostScheduler> scheduler_; // made when it is asked for
};

} // namespace DynamicModules
} // namespace Envoy
