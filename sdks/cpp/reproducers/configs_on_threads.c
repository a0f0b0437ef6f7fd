// Says on which thread a configuration of the module is destroyed, for a filter, its route, an access logger, and others in routes.
#include <stdio.h>
#include <unistd.h>

#include "abi.h"

enum { LATE_US = 100000 };

static const char made = 0;

static const void* say_made(const char* what) {
  fprintf(stderr, "dmconform: a configuration of a %s made\n", what);
  return &made;
}
static void say_destroyed(const char* what) {
  const char* where = gettid() == getpid() ? "destroyed on the main thread" : "wrong: destroyed on a worker";
  fprintf(stderr, "dmconform: %s: a configuration of a %s\n", where, what);
}

#define SHOWN(point)                                                                                                    \
  envoy_dynamic_module_type_##point##_config_module_ptr envoy_dynamic_module_on_##point##_config_new(                   \
      envoy_dynamic_module_type_##point##_config_envoy_ptr host, envoy_dynamic_module_type_envoy_buffer name,           \
      envoy_dynamic_module_type_envoy_buffer text) {                                                                    \
    return say_made(#point);                                                                                            \
  }                                                                                                                     \
  void envoy_dynamic_module_on_##point##_config_destroy(envoy_dynamic_module_type_##point##_config_module_ptr config) { \
    say_destroyed(#point);                                                                                              \
  }

// Who is the last that lets a configuration go is a race; this lets it be the worker.
static void come_late(void) {
  if (gettid() != getpid()) usleep(LATE_US);
}

SHOWN(http_filter)
void envoy_dynamic_module_on_http_filter_destroy(envoy_dynamic_module_type_http_filter_module_ptr filter) { come_late(); }

envoy_dynamic_module_type_http_filter_per_route_config_module_ptr envoy_dynamic_module_on_http_filter_per_route_config_new(
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer text) {
  return say_made("route");
}
void envoy_dynamic_module_on_http_filter_per_route_config_destroy(
    envoy_dynamic_module_type_http_filter_per_route_config_module_ptr config) {
  say_destroyed("route");
}

#if DMCONFORM_SDK_MINOR >= 137
SHOWN(access_logger)
void envoy_dynamic_module_on_access_logger_destroy(envoy_dynamic_module_type_access_logger_module_ptr logger) { come_late(); }
#endif
#if DMCONFORM_SDK_MINOR >= 138
SHOWN(matcher)
#endif
#if DMCONFORM_SDK_MINOR >= 140
SHOWN(matcher_data_input)
SHOWN(cluster_specifier)
SHOWN(route_specifier)
#endif
