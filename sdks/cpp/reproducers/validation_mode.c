// A module that says which hooks are called when it is loaded and configured, and whether it is told that it is only validated.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((weak)) bool envoy_dynamic_module_callback_is_validation_mode(void);
__attribute__((weak)) void envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(void* envoy);

// Asks where a configuration comes; with DMCONFORM_AT_END, where it goes.
static void say(const char* hook) {
  const char* mode = "not asked";
  bool at_end = strstr(hook, "destroy") != NULL;
  if (at_end == (getenv("DMCONFORM_AT_END") != NULL) && envoy_dynamic_module_callback_is_validation_mode) {
    mode = envoy_dynamic_module_callback_is_validation_mode() ? "validation" : "no validation";
  }
  fprintf(stderr, "dmconform: %s, told %s\n", hook, mode);
}

#define HOOK(type, name, result)                       \
  type envoy_dynamic_module_on_##name(void* first);    \
  type envoy_dynamic_module_on_##name(void* first) {   \
    (void)first;                                       \
    say(#name);                                        \
    return result;                                     \
  }

HOOK(const void*, http_filter_config_new, "")
HOOK(void, http_filter_config_destroy, )
HOOK(const void*, bootstrap_extension_new, "")
HOOK(void, bootstrap_extension_server_initialized, )
HOOK(void, bootstrap_extension_worker_thread_initialized, )
HOOK(void, bootstrap_extension_destroy, )
HOOK(void, bootstrap_extension_config_destroy, )

const void* envoy_dynamic_module_on_bootstrap_extension_config_new(void* envoy);
const void* envoy_dynamic_module_on_bootstrap_extension_config_new(void* envoy) {
  say("bootstrap_extension_config_new");
  if (envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete) {
    envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(envoy);
  }
  return "";
}
