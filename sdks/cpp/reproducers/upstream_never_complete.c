// An HTTP filter that is destroyed without having been told that its stream is complete: for the upstream side.
#include <stdio.h>
#include <stdlib.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;

Module HOOK(new)(envoy_dynamic_module_type_http_filter_config_module_ptr config, Envoy host) { return calloc(1, sizeof(bool)); }
void HOOK(stream_complete)(Envoy host, Module module) { *(bool*)module = true; }
void HOOK(destroy)(Module module) {
  if (!*(const bool*)module) fprintf(stderr, "dmconform: wrong: destroyed, and never told that the stream is complete\n");
  free((void*)module);
}
