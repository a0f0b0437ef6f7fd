. "$steps/common.sh"

cat > module.c <<'END'
// A tracer that prints what it is given of each request, and makes no span.
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
struct buffer { const char *data; size_t length; };
bool envoy_dynamic_module_callback_tracer_get_trace_context_path(void *span, struct buffer *value);
bool envoy_dynamic_module_callback_tracer_get_trace_context_protocol(void *span, struct buffer *value);
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
#define SPAN(name) HOOK(tracer_span_##name, 0)
HOOK(program_init, "v0.1.0")
HOOK(tracer_config_new, "config") HOOK(tracer_config_destroy, 0)
SPAN(set_operation) SPAN(set_tag) SPAN(log) SPAN(finish) SPAN(inject_context) SPAN(spawn_child) SPAN(set_sampled)
SPAN(use_local_decision) SPAN(get_baggage) SPAN(set_baggage) SPAN(get_trace_id) SPAN(get_span_id) SPAN(destroy)
static void print(const char *name, bool given, struct buffer value) {
  if (given) fprintf(stderr, "%s: %.*s\n", name, (int)value.length, value.data);
  else fprintf(stderr, "%s: not available\n", name);
}
void *envoy_dynamic_module_on_tracer_start_span(void *config, void *span) {
  struct buffer value = {0};
  print("path", envoy_dynamic_module_callback_tracer_get_trace_context_path(span, &value), value);
  print("protocol", envoy_dynamic_module_callback_tracer_get_trace_context_protocol(span, &value), value);
  return 0;
}
END
cc -shared -fPIC -Wl,--unresolved-symbols=ignore-all -o libprobe.so module.c
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
        tracing:
          provider:
            name: module
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.tracers.dynamic_modules.v3.DynamicModuleTracer
              tracer_name: probe
              dynamic_module_config: {name: probe}
        route_config:
          virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}]
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
END
start
wait_for live
curl -s --max-time 5 --http1.1 --unix-socket main.sock http://envoy/by-http-1.1
curl -s --max-time 5 --http2-prior-knowledge --unix-socket main.sock http://envoy/by-http-2
grep '^path: \|^protocol: ' envoy.log
