# All requests go to the cluster that `clusters` makes of standard input, at start or as an update.
echo '  cds_config: {resource_api_version: V3, path_config_source: {path: ./clusters.yaml}}' >> envoy.yaml
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {pipe: {path: ./main.sock}}
  filter_chains:
  - filters:
    - name: http
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: main
        route_config:
          virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: upstream, timeout: 1s}}]}]
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
END
clusters() {
  { printf 'resources:\n- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster\n  name: upstream\n'; cat; } > new-clusters.yaml
  mv new-clusters.yaml clusters.yaml
}
# A cluster that a module knows the hosts of.
module_cluster() {
  clusters <<END
  lb_policy: CLUSTER_PROVIDED
  cluster_type:
    name: module
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_modules.v3.ClusterConfig
      cluster_name: probe
      dynamic_module_config: {name: $1}
END
}
ask() { curl -s -o answer -w '%{http_code}' --max-time 3 --unix-socket main.sock http://envoy/; }
cat > cluster.h <<'END'
// What the hooks below take of the ABI.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#define HOOK(name) envoy_dynamic_module_on_##name
#define CALLBACK(name) envoy_dynamic_module_callback_##name
typedef struct { const char *ptr; size_t length; } buffer;
bool CALLBACK(cluster_add_hosts)(void *cluster, uint32_t priority, const buffer *addresses, const uint32_t *weights,
                                 const buffer *regions, const buffer *zones, const buffer *sub_zones, const buffer *metadata,
                                 size_t pairs, size_t count, void **hosts);
void CALLBACK(cluster_pre_init_complete)(void *cluster);
void *CALLBACK(cluster_scheduler_new)(void *cluster);
void CALLBACK(cluster_scheduler_commit)(void *scheduler, uint64_t event);
void CALLBACK(cluster_lb_async_host_selection_complete)(void *lb, void *context, void *host, buffer details);
static void *add(void *cluster) {
  buffer address = {"127.0.0.1:1", 11}, none = {"", 0};
  uint32_t weight = 1;
  void *host = 0;
  CALLBACK(cluster_add_hosts)(cluster, 0, &address, &weight, &none, &none, &none, 0, 0, 1, &host);
  return host;
}
const char *HOOK(program_init)(void) { return "v0.1.0"; }
const void *HOOK(cluster_config_new)(void *envoy, buffer name, buffer config) { return "config"; }
void HOOK(cluster_config_destroy)(const void *config) {}
void HOOK(cluster_destroy)(const void *cluster) {}
void HOOK(cluster_lb_destroy)(const void *lb) {}
END
