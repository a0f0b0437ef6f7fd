. "$steps/common.sh"

cat > module.c <<'END'
// A UDP listener filter that refuses its configuration: config_new returns null. It looks at the configuration that it is given later.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.1.0")
HOOK(udp_listener_filter_config_new, 0) HOOK(udp_listener_filter_config_destroy, 0)
HOOK(udp_listener_filter_destroy, 0) HOOK(udp_listener_filter_on_data, 0)
const void *envoy_dynamic_module_on_udp_listener_filter_new(const char *config) { return *config ? config : "filter"; }
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
ended() { ! kill -0 "$pid" 2>/dev/null || live; }
wait_for ended
if live; then
  admin 'stats?filter=lds.update_(success|rejected)'
else
  wait "$pid"
  echo "Envoy ended with exit status $? (128 + 11: SIGSEGV)"
fi
