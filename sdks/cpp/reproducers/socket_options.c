// An HTTP filter that sets socket options and reads them back: one set twice, one wider than an int, a view kept meanwhile.
#include <stdio.h>
#include <string.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
#define LEVEL 1  // SOL_SOCKET
#define BOUND envoy_dynamic_module_type_socket_option_state_Prebind
#define UP envoy_dynamic_module_type_socket_direction_Upstream

static void say(envoy_dynamic_module_type_http_filter_envoy_ptr envoy, const char* name, const char* value) {
  envoy_dynamic_module_type_module_buffer key = {name, strlen(name)}, text = {value, strlen(value)};
  envoy_dynamic_module_callback_http_add_header(
      envoy, envoy_dynamic_module_type_http_header_type_ResponseHeader, key, text);
}

envoy_dynamic_module_type_on_http_filter_response_headers_status envoy_dynamic_module_on_http_filter_response_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  char text[64];
  int64_t value = 0;
  envoy_dynamic_module_callback_http_set_socket_option_int(envoy, LEVEL, 9, BOUND, UP, 1);
  envoy_dynamic_module_callback_http_set_socket_option_int(envoy, LEVEL, 9, BOUND, UP, 2);
  bool found = envoy_dynamic_module_callback_http_get_socket_option_int(envoy, LEVEL, 9, BOUND, UP, &value);
  snprintf(text, sizeof text, "%s %lld", found ? "true" : "false", (long long)value);
  say(envoy, "x-twice", text);

  value = 0;
  bool set = envoy_dynamic_module_callback_http_set_socket_option_int(envoy, LEVEL, 10, BOUND, UP, (1LL << 32) + 7);
  found = envoy_dynamic_module_callback_http_get_socket_option_int(envoy, LEVEL, 10, BOUND, UP, &value);
  snprintf(text, sizeof text, "set %s, %s %lld", set ? "true" : "false", found ? "true" : "false", (long long)value);
  say(envoy, "x-wide", text);

  envoy_dynamic_module_type_module_buffer kept = {"kept", 4};
  envoy_dynamic_module_type_envoy_buffer view = {0, 0};
  envoy_dynamic_module_callback_http_set_socket_option_bytes(envoy, LEVEL, 20, BOUND, UP, kept);
  envoy_dynamic_module_callback_http_get_socket_option_bytes(envoy, LEVEL, 20, BOUND, UP, &view);
  for (int more = 0; more < 100; more++) {
    envoy_dynamic_module_callback_http_set_socket_option_int(envoy, LEVEL, 100 + more, BOUND, UP, more);
  }
  say(envoy, "x-view", view.length == 4 && memcmp(view.ptr, "kept", 4) == 0 ? "intact" : "lost");
  return envoy_dynamic_module_type_on_http_filter_response_headers_status_Continue;
}
#endif
