. "$steps/common.sh"

cat > module.c <<'END'
// A TLS handshaker that refuses its configuration: config_new returns null.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.2.0") HOOK(tls_handshaker_config_new, 0) HOOK(tls_handshaker_config_destroy, 0)
END
cc -shared -fPIC -o libprobe.so module.c
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=envoy -keyout key.pem -out chain.pem 2> openssl.log
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
          tls_certificates: [{certificate_chain: {filename: ./chain.pem}, private_key: {filename: ./key.pem}}]
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
wait_for 'grep -q "failed to load dynamic module TLS handshaker" envoy.log'
grep -o -m 1 'failed to load dynamic module TLS handshaker' envoy.log
echo "counters of dynamic modules: $(admin 'stats?filter=^dynamic_modules' | grep -c .)"
