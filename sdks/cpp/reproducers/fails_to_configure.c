// A module that fails when it is configured at any extension point, as DMCONFORM_FAIL says: refuse, or crash.
#include <stdlib.h>
#include <string.h>

static int fails(const char* how) {
  const char* wanted = getenv("DMCONFORM_FAIL");
  return wanted != NULL && strcmp(wanted, how) == 0;
}

static const void* configured(void) {
  if (fails("crash")) abort();
  return fails("refuse") ? NULL : "a configuration";
}

#define CONFIGURES(point)                                        \
  const void* envoy_dynamic_module_on_##point##_config_new(void); \
  const void* envoy_dynamic_module_on_##point##_config_new(void) { return configured(); }

CONFIGURES(access_logger)
CONFIGURES(cert_validator)
CONFIGURES(cluster)
CONFIGURES(cluster_specifier)
CONFIGURES(config_validator)
CONFIGURES(early_header_mutation)
CONFIGURES(formatter)
CONFIGURES(header_formatter)
CONFIGURES(health_checker)
CONFIGURES(http_filter)
CONFIGURES(lb)
CONFIGURES(listener_filter)
CONFIGURES(matcher)
CONFIGURES(matcher_data_input)
CONFIGURES(network_filter)
CONFIGURES(route_specifier)
CONFIGURES(stat_sink)
CONFIGURES(tls_handshaker)
CONFIGURES(tracer)
CONFIGURES(transport_socket_factory)
CONFIGURES(udp_listener_filter)
CONFIGURES(upstream_http_tcp_bridge)

__attribute__((weak)) void envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(void* envoy);

const void* envoy_dynamic_module_on_bootstrap_extension_config_new(void* envoy);
const void* envoy_dynamic_module_on_bootstrap_extension_config_new(void* envoy) {
  if (envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete != NULL && configured() != NULL) {
    envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(envoy);
  }
  return configured();
}
