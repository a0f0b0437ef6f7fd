. "$steps/common.sh"

cat > module.c <<'END'
// A certificate validator that takes every chain, and whose verify mode demands one: 3 is SSL_VERIFY_PEER and
// SSL_VERIFY_FAIL_IF_NO_PEER_CERT.
#include <stdbool.h>
#include <stdio.h>
struct text { const char *start; unsigned long length; };
struct result { int status, detailed_status; unsigned char alert; bool has_alert; };
const char *envoy_dynamic_module_on_program_init(void) { return "v0.2.0"; }
void *envoy_dynamic_module_on_cert_validator_config_new(void) { return "a configuration"; }
void envoy_dynamic_module_on_cert_validator_config_destroy(void) {}
struct result envoy_dynamic_module_on_cert_validator_do_verify_cert_chain(void) {
  fputs("a chain is judged\n", stderr);
  struct result taken = {0, 2, 0, false};
  return taken;
}
int envoy_dynamic_module_on_cert_validator_get_ssl_verify_mode(void) {
  fputs("the verify mode is asked for: 3\n", stderr);
  return 3;
}
void envoy_dynamic_module_on_cert_validator_update_digest(void *config, struct text *digest) {
  digest->start = "digest";
  digest->length = 6;
}
END
cc -shared -fPIC -o libprobe.so module.c
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=envoy -keyout key.pem -out chain.pem 2> openssl.log
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {pipe: {path: ./main.sock}}
  filter_chains:
  - filters:
    - name: echo
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo}
    transport_socket:
      name: tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
        common_tls_context:
          tls_certificates: [{certificate_chain: {filename: ./chain.pem}, private_key: {filename: ./key.pem}}]
          validation_context:
            custom_validator_config:
              name: envoy.tls.cert_validator.dynamic_modules
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.cert_validator.dynamic_modules.v3.DynamicModuleCertValidatorConfig
                validator_name: probe
                dynamic_module_config: {name: probe}
END
start
wait_for live
wait_for 'updated 1'
grep -m 1 'the verify mode is asked for' envoy.log
# Options of the client. Its input stays open until it has an answer.
visit() {
  { echo hello; wait_for 'grep -q . answer' > waited; } | timeout 5 openssl s_client -unix ./main.sock -quiet "$@" > answer 2> client.log
  grep -q hello answer && echo served || echo refused
}
echo "a client with a certificate: $(: > answer; visit -cert chain.pem -key key.pem)"
echo "chains that were judged: $(grep -c 'a chain is judged' envoy.log)"
echo "a client without one: $(: > answer; visit)"
echo "chains that were judged: $(grep -c 'a chain is judged' envoy.log)"
