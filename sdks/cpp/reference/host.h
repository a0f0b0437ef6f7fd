// The SDK's handles, made of the ABI's callbacks.
#pragma once

#include "abi.h"
#include "sdk.h"

namespace Envoy {
namespace DynamicModules {

// One of the four bodies of a stream.
class HostBody final : public BodyBuffer {
public:
  HostBody(void* stream, envoy_dynamic_module_type_http_body_type which) : stream_(stream), which_(which) {}
  std::vector<BufferView> getChunks() const override;
  size_t getSize() const override;
  void drain(size_t size) override;
  void append(std::string_view data) override;

private:
  void* stream_;
  envoy_dynamic_module_type_http_body_type which_;
};

// Headers or trailers of one direction of a stream.
class HostHeaders final : public HeaderMap {
public:
  HostHeaders(void* stream, envoy_dynamic_module_type_http_header_type which) : stream_(stream), which_(which) {}
  std::vector<std::string_view> get(std::string_view key) const override;
  std::string_view getOne(std::string_view key) const override;
  std::vector<HeaderView> getAll() const override;
  size_t size() const override;
  void set(std::string_view key, std::string_view value) override;
  void add(std::string_view key, std::string_view value) override;
  void remove(std::string_view key) override;

private:
  std::string_view at(std::string_view key, size_t index, size_t* count) const;

  void* stream_;
  envoy_dynamic_module_type_http_header_type which_;
};

class HostFilterHandle final : public HttpFilterHandle {
public:
  explicit HostFilterHandle(void* stream) : stream_(stream) {}
  void sendLocalResponse(uint32_t status, std::span<const HeaderView> headers, std::string_view body,
                         std::string_view detail) override;
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
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;

  // Ends a response that cannot be trusted any more.
  void abandonResponse(std::string_view detail);

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
};

class HostConfigHandle final : public HttpFilterConfigHandle {
public:
  bool logEnabled(LogLevel level) override;
  void log(LogLevel level, std::string_view message) override;
};

bool hostLogEnabled(LogLevel level);
void hostLog(LogLevel level, std::string_view message);

} // namespace DynamicModules
} // namespace Envoy
