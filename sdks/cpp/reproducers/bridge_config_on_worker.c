// An upstream HTTP TCP bridge that says on which thread its configurations are made and destroyed.
#include <stdio.h>
#include <unistd.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
static void say(const char* what) {
  if (gettid() != getpid()) fprintf(stderr, "dmconform: wrong: a configuration %s on a worker\n", what);
}

envoy_dynamic_module_type_upstream_http_tcp_bridge_config_module_ptr envoy_dynamic_module_on_upstream_http_tcp_bridge_config_new(
    envoy_dynamic_module_type_upstream_http_tcp_bridge_config_envoy_ptr config, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer text) {
  say("made");
  return config;
}

void envoy_dynamic_module_on_upstream_http_tcp_bridge_config_destroy(
    envoy_dynamic_module_type_upstream_http_tcp_bridge_config_module_ptr config) { say("destroyed"); }
#endif
