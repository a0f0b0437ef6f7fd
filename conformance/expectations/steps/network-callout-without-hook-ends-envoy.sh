. "$steps/common.sh"

cat > module.c <<'END'
// A network filter that makes an HTTP callout when a connection comes, without the hook for its answer.
#include <stddef.h>
#include <stdint.h>
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
typedef struct { const char *data; size_t length; } buffer;
typedef struct { const char *key; size_t key_length; const char *value; size_t value_length; } header;
int envoy_dynamic_module_callback_network_filter_http_callout(void *, uint64_t *, buffer, header *, size_t, buffer, uint64_t);
HOOK(program_init, "v0.1.0")
HOOK(network_filter_config_new, "config") HOOK(network_filter_config_destroy, 0)
HOOK(network_filter_new, "filter") HOOK(network_filter_destroy, 0)
HOOK(network_filter_read, 0) HOOK(network_filter_write, 0) HOOK(network_filter_event, 0)
int envoy_dynamic_module_on_network_filter_new_connection(void *filter) {
  header headers[] = {{":method", 7, "GET", 3}, {":path", 5, "/ready", 6}, {"host", 4, "envoy", 5}};
  buffer cluster = {"own_admin", 9}, body = {"", 0};
  uint64_t id;
  envoy_dynamic_module_callback_network_filter_http_callout(filter, &id, cluster, headers, 3, body, 5000);
  return 0;
}
END
cc -shared -fPIC -o libprobe.so module.c

cat >> envoy.yaml <<'END'
static_resources:
  clusters:
  - name: own_admin
    load_assignment:
      cluster_name: own_admin
      endpoints: [{lb_endpoints: [{endpoint: {address: {pipe: {path: ./admin.sock}}}}]}]
END
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {pipe: {path: ./main.sock}}
  filter_chains:
  - filters:
    - name: module
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.dynamic_modules.v3.DynamicModuleNetworkFilter
        filter_name: probe
        dynamic_module_config: {name: probe}
    - name: echo
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo}
END
start
wait_for live
python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(2); s.connect("main.sock"); s.recv(1)' 2>/dev/null
wait "$pid"
echo "Envoy ended with exit status $? (128 + 11: SIGSEGV)"
