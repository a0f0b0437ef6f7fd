. "$steps/common.sh"

cat > module.c <<'END'
// A TLS handshaker that says when its configuration goes. It promises certificates, so that the listener needs none.
#include <stdbool.h>
#include <stdio.h>
struct text { const char *start; unsigned long length; };
struct capabilities { bool provides_certificates; };
const char *envoy_dynamic_module_on_program_init(void) { return "v0.2.0"; }
void *envoy_dynamic_module_on_tls_handshaker_config_new(void *envoy, struct text name, struct text config,
                                                        struct capabilities *capabilities) {
  capabilities->provides_certificates = true;
  return "a configuration";
}
void envoy_dynamic_module_on_tls_handshaker_config_destroy(void *config) {
  fputs("the configuration is destroyed\n", stderr);
}
END
cc -shared -fPIC -o libprobe.so module.c
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {pipe: {path: ./main.sock}}
  filter_chains:
  - filters:
    - name: proxy
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo}
    transport_socket:
      name: tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
        common_tls_context:
          custom_handshaker:
            name: module
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.handshakers.dynamic_modules.v3.DynamicModuleTlsHandshaker
              handshaker_name: probe
              dynamic_module_config: {name: probe}
END
start
wait_for live
wait_for 'updated 1'
: | configure
wait_for 'updated 2'
wait_for 'admin "stats?filter=total_listeners_draining" | grep -q ": 0$"'
sleep 2
grep -q libprobe.so "/proc/$pid/maps" && echo "no listeners, none is draining: the module is loaded"
echo "lines that tell of the end of the configuration: $(grep -c 'the configuration is destroyed' envoy.log)"
kill "$pid"
wait "$pid"
pid=
echo "once Envoy has ended: $(grep -c 'the configuration is destroyed' envoy.log)"
