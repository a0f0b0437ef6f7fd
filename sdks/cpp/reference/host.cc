#include "host.h"

#include "lend.h"
#include "log.h"

namespace Envoy {
namespace DynamicModules {

std::optional<std::string_view> HostFilterHandle::getMetadataString(std::string_view ns, std::string_view key) {
  envoy_dynamic_module_type_envoy_buffer value{nullptr, 0};
  const bool found = envoy_dynamic_module_callback_http_get_metadata_string(
      stream_, envoy_dynamic_module_type_metadata_source_Dynamic, lend(ns), lend(key), &value);
  return found ? std::optional(text(value)) : std::nullopt;
}

std::optional<double> HostFilterHandle::getMetadataNumber(std::string_view ns, std::string_view key) {
  double value = 0;
  const bool found = envoy_dynamic_module_callback_http_get_metadata_number(
      stream_, envoy_dynamic_module_type_metadata_source_Dynamic, lend(ns), lend(key), &value);
  return found ? std::optional(value) : std::nullopt;
}

void HostFilterHandle::setMetadata(std::string_view ns, std::string_view key, std::string_view value) {
  envoy_dynamic_module_callback_http_set_dynamic_metadata_string(stream_, lend(ns), lend(key), lend(value));
}

void HostFilterHandle::setMetadata(std::string_view ns, std::string_view key, double value) {
  envoy_dynamic_module_callback_http_set_dynamic_metadata_number(stream_, lend(ns), lend(key), value);
}

std::optional<std::string_view> HostFilterHandle::getFilterState(std::string_view key) {
  envoy_dynamic_module_type_envoy_buffer value{nullptr, 0};
  const bool found = envoy_dynamic_module_callback_http_get_filter_state_bytes(stream_, lend(key), &value);
  return found ? std::optional(text(value)) : std::nullopt;
}

void HostFilterHandle::setFilterState(std::string_view key, std::string_view value) {
  envoy_dynamic_module_callback_http_set_filter_state_bytes(stream_, lend(key), lend(value));
}

void HostFilterHandle::sendLocalResponse(uint32_t status, std::span<const HeaderView> headers, std::string_view body,
                                         std::string_view detail) {
  envoy_dynamic_module_callback_http_send_response(stream_, status, lend(headers), headers.size(), lend(body),
                                                   lend(detail));
}

void HostFilterHandle::continueRequest() { envoy_dynamic_module_callback_http_filter_continue_decoding(stream_); }

#if DMCONFORM_SDK_MINOR >= 139
bool HostFilterHandle::recreateStream(std::span<const HeaderView> headers) {
  return envoy_dynamic_module_callback_http_filter_recreate_stream(stream_, lend(headers), headers.size());
}
#endif

#if DMCONFORM_SDK_MINOR >= 138
bool HostFilterHandle::receivedBufferedRequestBody() {
  return envoy_dynamic_module_callback_http_received_buffered_request_body(stream_);
}

bool HostFilterHandle::receivedBufferedResponseBody() {
  return envoy_dynamic_module_callback_http_received_buffered_response_body(stream_);
}

void HostFilterHandle::abandonResponse(std::string_view detail) {
  envoy_dynamic_module_callback_http_filter_reset_stream(
      stream_, envoy_dynamic_module_type_http_filter_stream_reset_reason_LocalReset, lend(detail));
}
#else
// The ABI of 1.37 cannot reset a stream. A local reply does as much: it takes the place of a response that has not
// begun, and one that has begun is reset by the host.
void HostFilterHandle::abandonResponse(std::string_view detail) { sendLocalResponse(500, {}, "", detail); }
#endif

const RouteSpecificConfig* HostFilterHandle::getMostSpecificConfig() {
  return static_cast<const RouteSpecificConfig*>(envoy_dynamic_module_callback_get_most_specific_route_config(stream_));
}

std::shared_ptr<Scheduler> HostFilterHandle::getScheduler() {
  if (scheduler_ == nullptr) {
    scheduler_ = std::make_shared<HostScheduler>(stream_);
  }
  return scheduler_;
}

void HostFilterHandle::scheduled(uint64_t event) {
  if (scheduler_ != nullptr) {
    scheduler_->run(event);
  }
}

std::pair<HttpCalloutInitResult, uint64_t> HostFilterHandle::httpCallout(std::string_view cluster,
                                                                         std::span<const HeaderView> headers,
                                                                         std::string_view body, uint64_t timeout_ms,
                                                                         HttpCalloutCallback& cb) {
  uint64_t callout = 0;
  const auto result = static_cast<HttpCalloutInitResult>(envoy_dynamic_module_callback_http_filter_http_callout(
      stream_, &callout, lend(cluster), lend(headers), headers.size(), lend(body), timeout_ms));
  if (result == HttpCalloutInitResult::Success) {
    callouts_.add(callout, cb);
  }
  return {result, callout};
}

void HostFilterHandle::calloutDone(uint64_t callout, HttpCalloutResult result, std::span<const HeaderView> headers,
                                   std::span<const BufferView> body_chunks) {
  if (HttpCalloutCallback* callback = callouts_.take(callout)) {
    callback->onHttpCalloutDone(result, headers, body_chunks);
  }
}

MetricsResult HostFilterHandle::recordHistogramValue(MetricID id, uint64_t value,
                                                     std::span<const BufferView> tags_values) {
  return static_cast<MetricsResult>(envoy_dynamic_module_callback_http_filter_record_histogram_value(
      stream_, id, lend(tags_values), tags_values.size(), value));
}

MetricsResult HostFilterHandle::setGaugeValue(MetricID id, uint64_t value, std::span<const BufferView> tags_values) {
  return static_cast<MetricsResult>(envoy_dynamic_module_callback_http_filter_set_gauge(
      stream_, id, lend(tags_values), tags_values.size(), value));
}

MetricsResult HostFilterHandle::incrementCounterValue(MetricID id, uint64_t value,
                                                      std::span<const BufferView> tags_values) {
  return static_cast<MetricsResult>(envoy_dynamic_module_callback_http_filter_increment_counter(
      stream_, id, lend(tags_values), tags_values.size(), value));
}

bool HostFilterHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostFilterHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

} // namespace DynamicModules
} // namespace Envoy
