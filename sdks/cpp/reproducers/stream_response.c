// An HTTP filter that streams a response of its own, and prints which of its response hooks are called for that.
// Configuration: "request" (from its request headers hook) or "response" (from its response headers hook, in the place of another).
#include <stdio.h>
#include <string.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;

static bool from_response;
static unsigned headers, body, trailers;

static envoy_dynamic_module_type_module_buffer text(const char* what) {
  return (envoy_dynamic_module_type_module_buffer){(char*)what, strlen(what)};
}
static void stream(Envoy host) {
  envoy_dynamic_module_type_module_http_header status = {":status", 7, "200", 3}, trailer = {"x-end", 5, "yes", 3};
  envoy_dynamic_module_callback_http_send_response_headers(host, &status, 1, false);
  envoy_dynamic_module_callback_http_send_response_data(host, text("one "), false);
  envoy_dynamic_module_callback_http_send_response_data(host, text("two"), false);
  envoy_dynamic_module_callback_http_send_response_trailers(host, &trailer, 1);
}
envoy_dynamic_module_type_http_filter_config_module_ptr HOOK(config_new)(envoy_dynamic_module_type_http_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer config) {
  from_response = config.length == 8;
  return &from_response;
}
envoy_dynamic_module_type_on_http_filter_request_headers_status HOOK(request_headers)(Envoy host, Module module, bool end) {
  if (from_response) return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
  stream(host);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
}
envoy_dynamic_module_type_on_http_filter_response_headers_status HOOK(response_headers)(Envoy host, Module module, bool end) {
  headers++;
  if (!from_response) return envoy_dynamic_module_type_on_http_filter_response_headers_status_Continue;
  stream(host);
  return envoy_dynamic_module_type_on_http_filter_response_headers_status_StopIteration;
}
envoy_dynamic_module_type_on_http_filter_response_body_status HOOK(response_body)(Envoy host, Module module, bool end) {
  body++;
  return envoy_dynamic_module_type_on_http_filter_response_body_status_Continue;
}
envoy_dynamic_module_type_on_http_filter_response_trailers_status HOOK(response_trailers)(Envoy host, Module module) {
  trailers++;
  return envoy_dynamic_module_type_on_http_filter_response_trailers_status_Continue;
}
void HOOK(stream_complete)(Envoy host, Module module) {
  fprintf(stderr, "streamed: %u headers, %u body, %u trailers hooks\n", headers, body, trailers);
}
