// The hooks of HTTP filters: what the host calls.
#include "guard.h"

using namespace Envoy::DynamicModules; // NOLINT(google-build-using-namespace): a file of C functions

namespace {

constexpr std::string_view kDetail = "dynamic_module_exception";

// One stream's filter. Once it has thrown it is not called again: its state may be half changed.
struct Stream {
  explicit Stream(void* host) : handle(host) {}
  HostFilterHandle handle;
  std::unique_ptr<HttpFilter> filter;
  bool broken = false;
};

Stream& stream(const void* pointer) { return *const_cast<Stream*>(static_cast<const Stream*>(pointer)); }

// A hook of the request's path: where it throws, the client gets a 500.
template <class Status, class Call>
Status onRequest(const void* pointer, std::string_view hook, Status stop, Call call) {
  Stream& self = stream(pointer);
  if (self.broken) {
    return static_cast<Status>(0); // continue
  }
  return guarded(
      hook, [&] { return static_cast<Status>(call(self)); },
      [&] {
        self.broken = true;
        self.handle.sendLocalResponse(500, {}, "", kDetail);
        return stop;
      });
}

// A hook of the response's path: where it throws, the response ends.
template <class Status, class Call>
Status onResponse(const void* pointer, std::string_view hook, Status stop, Call call) {
  Stream& self = stream(pointer);
  if (self.broken) {
    return static_cast<Status>(0); // continue
  }
  return guarded(
      hook, [&] { return static_cast<Status>(call(self)); },
      [&] {
        self.broken = true;
        self.handle.abandonResponse(kDetail);
        return stop;
      });
}

// A hook after which nothing can be saved: what it throws is only logged.
template <class Call>
void onNotice(std::string_view hook, Call call) { guarded(hook, call, [] {}); }

std::string_view text(envoy_dynamic_module_type_envoy_buffer buffer) { return {buffer.ptr, buffer.length}; }

} // namespace

extern "C" {

const char* envoy_dynamic_module_on_program_init(void) { return DMCONFORM_ABI_VERSION; }

const void* envoy_dynamic_module_on_http_filter_config_new(void*, envoy_dynamic_module_type_envoy_buffer name,
                                                           envoy_dynamic_module_type_envoy_buffer config) {
  return guarded(
      "http_filter_config_new",
      [&]() -> const void* {
        HostConfigHandle handle;
        const auto& registry = HttpFilterConfigFactoryRegistry::getRegistry();
        const auto found = registry.find(text(name));
        if (found == registry.end()) {
          DYM_LOG(handle, LogLevel::Warn, "dynamic module has no filter named {}", text(name));
          return nullptr;
        }
        return found->second->create(handle, text(config)).release();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_http_filter_config_destroy(const void* config) {
  delete static_cast<const HttpFilterFactory*>(config);
}

const void* envoy_dynamic_module_on_http_filter_new(const void* config, void* host) {
  return guarded(
      "http_filter_new",
      [&]() -> const void* {
        auto made = std::make_unique<Stream>(host);
        auto& factory = *const_cast<HttpFilterFactory*>(static_cast<const HttpFilterFactory*>(config));
        made->filter = factory.create(made->handle);
        return made->filter == nullptr ? nullptr : made.release();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_http_filter_destroy(const void* filter) {
#if DMCONFORM_SDK_MINOR >= 138
  onNotice("http_filter_destroy", [&] { stream(filter).filter->onDestroy(); });
#endif
  delete &stream(filter);
}

envoy_dynamic_module_type_on_http_filter_request_headers_status
envoy_dynamic_module_on_http_filter_request_headers(void*, const void* filter, bool end_of_stream) {
  return onRequest(filter, "request_headers",
                   envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration,
                   [&](Stream& s) { return s.filter->onRequestHeaders(s.handle.requestHeaders(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_request_body_status
envoy_dynamic_module_on_http_filter_request_body(void*, const void* filter, bool end_of_stream) {
  return onRequest(filter, "request_body",
                   envoy_dynamic_module_type_on_http_filter_request_body_status_StopIterationNoBuffer,
                   [&](Stream& s) { return s.filter->onRequestBody(s.handle.receivedRequestBody(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_request_trailers_status
envoy_dynamic_module_on_http_filter_request_trailers(void*, const void* filter) {
  return onRequest(filter, "request_trailers",
                   envoy_dynamic_module_type_on_http_filter_request_trailers_status_StopIteration,
                   [](Stream& s) { return s.filter->onRequestTrailers(s.handle.requestTrailers()); });
}

envoy_dynamic_module_type_on_http_filter_response_headers_status
envoy_dynamic_module_on_http_filter_response_headers(void*, const void* filter, bool end_of_stream) {
  return onResponse(filter, "response_headers",
                    envoy_dynamic_module_type_on_http_filter_response_headers_status_StopIteration,
                    [&](Stream& s) { return s.filter->onResponseHeaders(s.handle.responseHeaders(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_response_body_status
envoy_dynamic_module_on_http_filter_response_body(void*, const void* filter, bool end_of_stream) {
  return onResponse(
      filter, "response_body", envoy_dynamic_module_type_on_http_filter_response_body_status_StopIterationNoBuffer,
      [&](Stream& s) { return s.filter->onResponseBody(s.handle.receivedResponseBody(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_response_trailers_status
envoy_dynamic_module_on_http_filter_response_trailers(void*, const void* filter) {
  return onResponse(filter, "response_trailers",
                    envoy_dynamic_module_type_on_http_filter_response_trailers_status_StopIteration,
                    [](Stream& s) { return s.filter->onResponseTrailers(s.handle.responseTrailers()); });
}

void envoy_dynamic_module_on_http_filter_stream_complete(void*, const void* filter) {
  onNotice("stream_complete", [&] { stream(filter).filter->onStreamComplete(); });
}

#if DMCONFORM_SDK_MINOR >= 139
envoy_dynamic_module_type_on_http_filter_local_reply_status
envoy_dynamic_module_on_http_filter_local_reply(void*, const void* filter, uint32_t response_code,
                                                envoy_dynamic_module_type_envoy_buffer details, bool reset_imminent) {
  using Status = envoy_dynamic_module_type_on_http_filter_local_reply_status;
  if (stream(filter).broken) {
    return envoy_dynamic_module_type_on_http_filter_local_reply_status_Continue;
  }
  return guarded(
      "local_reply",
      [&] {
        return static_cast<Status>(stream(filter).filter->onLocalReply(response_code, text(details), reset_imminent));
      },
      [] { return envoy_dynamic_module_type_on_http_filter_local_reply_status_ContinueAndResetStream; });
}
#endif

} // extern "C"
