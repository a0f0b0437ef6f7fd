. "$steps/common.sh"

. "$steps/clusters.sh"
cat > module.c <<'END'
// A bridge that does nothing, and says when its configuration begins and ends.
#include <stdio.h>
#define HOOK(name) void *envoy_dynamic_module_on_##name(void)
#define BRIDGE(name, value) HOOK(upstream_http_tcp_bridge_##name) { return value; }
HOOK(program_init) { return "v0.1.0"; }
HOOK(upstream_http_tcp_bridge_config_new) { fprintf(stderr, "a configuration begins\n"); return "config"; }
HOOK(upstream_http_tcp_bridge_config_destroy) { fprintf(stderr, "a configuration ends\n"); return 0; }
BRIDGE(new, "bridge") BRIDGE(destroy, 0) BRIDGE(encode_headers, 0) BRIDGE(encode_data, 0) BRIDGE(encode_trailers, 0)
BRIDGE(on_upstream_data, 0)
END
cc -shared -fPIC -o libprobe.so module.c
bridge() {
  clusters <<END
  load_assignment:
    cluster_name: upstream
    endpoints: [{lb_endpoints: [{endpoint: {address: {pipe: {path: ./main.sock}}}}]}]
  $1
END
}
bridge 'upstream_config: {name: module, typed_config: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.dynamic_modules.v3.Config, bridge_name: probe, dynamic_module_config: {name: probe}}}'
start
wait_for live
ask > /dev/null
wait_for 'grep -q "a configuration begins" envoy.log'
bridge ''
wait_for 'admin "stats?filter=cds.update_success" | grep -q ": 2$"'
sleep 3
echo "configurations that ended within 3 seconds of the update: $(grep -c 'a configuration ends' envoy.log)"
grep -q libprobe.so "/proc/$pid/maps" && echo "the module is loaded"
