// A cluster that starts a callout while it is being made.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_cluster_module_ptr envoy_dynamic_module_on_cluster_new(
    envoy_dynamic_module_type_cluster_config_module_ptr config, envoy_dynamic_module_type_cluster_envoy_ptr cluster) {
  envoy_dynamic_module_type_module_http_header headers[] = {
      {":method", 7, "GET", 3}, {":path", 5, "/", 1}, {":authority", 10, "a", 1}};
  envoy_dynamic_module_type_module_buffer to = {"upstream", 8}, none = {"", 0};
  uint64_t callout = 0;
  envoy_dynamic_module_callback_cluster_http_callout(cluster, &callout, to, headers, 3, none, 1000);
  return cluster;
}
#endif
