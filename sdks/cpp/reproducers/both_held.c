// An HTTP filter that holds streams both ways until a request without a body comes: that schedules an event which lets go what is held.
// Configuration: "all" (everything from the headers on, with flow control) or "bodies" (responses at their headers, bodies piece by piece).
#include <stdio.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
#define CALL(what) envoy_dynamic_module_callback_http_filter_##what
#define STATUS(of, what) envoy_dynamic_module_type_on_http_filter_##of##_status_##what
#define WAY(name, index, at_headers)                                                                                           \
  envoy_dynamic_module_type_on_http_filter_##name##_headers_status HOOK(name##_headers)(Envoy host, Module module, bool end) { \
    if (is_other(host, #name, end)) return STATUS(name##_headers, Continue);                                                   \
    if (holds_all) return took(index, #name), STATUS(name##_headers, StopAllIterationAndWatermark);                            \
    return STATUS(name##_headers, at_headers);                                                                                 \
  }                                                                                                                            \
  envoy_dynamic_module_type_on_http_filter_##name##_body_status HOOK(name##_body)(Envoy host, Module module, bool end) {       \
    if (host != held || holds_all || let_go[index]) return STATUS(name##_body, Continue);                                      \
    return took(index, #name), STATUS(name##_body, StopIterationAndWatermark);                                                 \
  }
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;

static bool holds_all, is_held[2], let_go[2];  // request and response of one stream at a time
static Envoy held;
static unsigned above, below;

static void took(int way, const char* name) {
  if (!is_held[way]) fprintf(stderr, "both_held: %s\n", name);
  is_held[way] = true;
}
// Tells whether this is not the stream that is held; the first request with a body is, and one without lets go.
static bool is_other(Envoy host, const char* name, bool end) {
  if (*name == 'r' && name[2] == 'q' && end && held) {
    envoy_dynamic_module_type_http_filter_scheduler_module_ptr scheduler = CALL(scheduler_new)(held);
    CALL(scheduler_commit)(scheduler, 1);
    CALL(scheduler_delete)(scheduler);
  } else if (!held && !end) {
    held = host;
  }
  return host != held;
}
envoy_dynamic_module_type_http_filter_config_module_ptr HOOK(config_new)(envoy_dynamic_module_type_http_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer config) {
  holds_all = config.length == 3;
  return &holds_all;
}
WAY(request, 0, Continue)
WAY(response, 1, StopIteration)
void HOOK(scheduled)(Envoy host, Module module, uint64_t event) {
  for (int way = 0; way < 2; way++) {
    if (!is_held[way] || let_go[way]) continue;
    let_go[way] = true;
    way ? CALL(continue_encoding)(host) : CALL(continue_decoding)(host);
  }
}
void HOOK(downstream_above_write_buffer_high_watermark)(Envoy host, Module module) { above += host == held; }
void HOOK(downstream_below_write_buffer_low_watermark)(Envoy host, Module module) { below += host == held; }
void HOOK(stream_complete)(Envoy host, Module module) {
  if (host == held) fprintf(stderr, "both_held: %u above, %u below\n", above, below);
}
