. "$steps/common.sh"

cat > module.c <<'END'
// A UDP listener filter that refuses its configuration: config_new returns null.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.2.0")
HOOK(udp_listener_filter_config_new, 0) HOOK(udp_listener_filter_config_destroy, 0)
HOOK(udp_listener_filter_new, "filter") HOOK(udp_listener_filter_destroy, 0) HOOK(udp_listener_filter_on_data, 0)
END
cc -shared -fPIC -o libprobe.so module.c
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 0}}
  udp_listener_config: {}
  listener_filters:
  - name: module
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.udp.dynamic_modules.v3.DynamicModuleUdpListenerFilter
      filter_name: probe
      dynamic_module_config: {name: probe}
END
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
admin 'stats?filter=lds.update_rejected'
echo "counters of dynamic modules: $(admin 'stats?filter=^dynamic_modules' | grep -c .)"
