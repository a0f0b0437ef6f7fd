// Writes to standard error what becomes of it, on which thread, and what its filters and routes are configured with, in
// hexadecimal digits; as it is initialised also its own path, and the library in which the marker is found that it has itself.
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "abi.h"

static char made;

__attribute__((visibility("default"))) const char* dmconform_marker(void) {
  return "witness";
}

static void say(const char* what, const char* more) {
  fprintf(stderr, "dmconform: witness %s on the %s thread%s\n", what, gettid() == getpid() ? "main" : "other", more);
}

static size_t digits(char* to, const envoy_dynamic_module_type_envoy_buffer* from) {
  for (size_t i = 0; i < from->length && i < 100; i++) {
    sprintf(to + 2 * i, "%02x", (unsigned char)from->ptr[i]);
  }
  return 2 * (from->length < 100 ? from->length : 100);
}

static void* configured(const char* what, envoy_dynamic_module_type_envoy_buffer name,
                        envoy_dynamic_module_type_envoy_buffer config) {
  char more[512] = " with ";
  size_t end = 6 + digits(more + 6, &name);
  more[end++] = ' ';
  digits(more + end, &config);
  say(what, more);
  return &made;
}

__attribute__((constructor)) static void opened(void) { say("opened", ""); }

__attribute__((destructor)) static void closed(void) { say("closed", ""); }

const char* envoy_dynamic_module_on_program_init(void) {
  Dl_info self = {0}, marker = {0};
  char more[2048];
  dladdr(&made, &self);
  dladdr((const void*)(size_t)&dmconform_marker, &marker);
  snprintf(more, sizeof(more), ", is %s, and finds its marker in %s", self.dli_fname, marker.dli_fname);
  say("initialised", more);
  return DMCONFORM_ABI_VERSION;
}

const void* envoy_dynamic_module_on_http_filter_config_new(void* host, envoy_dynamic_module_type_envoy_buffer name,
                                                           envoy_dynamic_module_type_envoy_buffer config) {
  return configured("configured", name, config);
}

const void* envoy_dynamic_module_on_http_filter_per_route_config_new(envoy_dynamic_module_type_envoy_buffer name,
                                                                     envoy_dynamic_module_type_envoy_buffer config) {
  return configured("configured for a route", name, config);
}

void envoy_dynamic_module_on_http_filter_config_destroy(const void* config) { say("destroyed a configuration", ""); }
