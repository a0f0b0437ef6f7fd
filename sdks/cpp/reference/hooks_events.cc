// The hooks of HTTP filters on what is no message.
#include "stream.h"

using namespace Envoy::DynamicModules; // NOLINT(google-build-using-namespace): a file of C functions

extern "C" {

// The stream has ended: there is nothing to save.
void envoy_dynamic_module_on_http_filter_stream_complete(void*, const void* filter) {
  guardedEvent(stream(filter), "stream_complete", leaveAlone<Stream>, [](Stream& s) { s.filter->onStreamComplete(); });
}

void envoy_dynamic_module_on_http_filter_http_callout_done(void*, const void* filter, uint64_t callout_id,
                                                           envoy_dynamic_module_type_http_callout_result result,
                                                           envoy_dynamic_module_type_envoy_http_header* headers,
                                                           size_t headers_size,
                                                           envoy_dynamic_module_type_envoy_buffer* body_chunks,
                                                           size_t body_chunks_size) {
  guardedEvent(stream(filter), "http_callout_done", failRequest, [&](Stream& s) {
    s.handle.calloutDone(callout_id, static_cast<HttpCalloutResult>(result),
                         {reinterpret_cast<const HeaderView*>(headers), headers_size},
                         {reinterpret_cast<const BufferView*>(body_chunks), body_chunks_size});
  });
}

void envoy_dynamic_module_on_http_filter_scheduled(void*, const void* filter, uint64_t event_id) {
  guardedEvent(stream(filter), "scheduled", failRequest, [&](Stream& s) { s.handle.scheduled(event_id); });
}

} // extern "C"
