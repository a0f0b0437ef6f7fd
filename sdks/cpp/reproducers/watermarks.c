// An HTTP filter that counts the hooks for a slow client, and prints them when a stream ends. Configuration: "upstream", or "own": it
// streams a response of 12 MB itself, all at once.
#include <stdio.h>
#include <string.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;
enum { PIECE = 16000, PIECES = 750 };

static bool is_own;
static unsigned above, below;  // one stream at a time

envoy_dynamic_module_type_http_filter_config_module_ptr HOOK(config_new)(envoy_dynamic_module_type_http_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer config) {
  is_own = config.length == 3;
  return &is_own;
}
envoy_dynamic_module_type_on_http_filter_request_headers_status HOOK(request_headers)(Envoy host, Module module, bool end) {
  static char piece[PIECE];
  above = below = 0;
  if (!is_own) return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
  envoy_dynamic_module_type_module_http_header headers[] = {{":status", 7, "200", 3}, {"content-length", 14, "12000000", 8}};
  envoy_dynamic_module_callback_http_send_response_headers(host, headers, 2, false);
  memset(piece, 'x', PIECE);
  for (int each = 1; each <= PIECES; each++)
    envoy_dynamic_module_callback_http_send_response_data(host, (envoy_dynamic_module_type_module_buffer){piece, PIECE}, each == PIECES);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
}
void HOOK(downstream_above_write_buffer_high_watermark)(Envoy host, Module module) {
  above++;
  fprintf(stderr, "watermarks: reached\n");
}
void HOOK(downstream_below_write_buffer_low_watermark)(Envoy host, Module module) { below++; }
void HOOK(destroy)(Module module) { fprintf(stderr, "watermarks: %u above, %u below\n", above, below); }
