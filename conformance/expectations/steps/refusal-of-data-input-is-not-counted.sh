. "$steps/common.sh"

cat > module.c <<'END'
// The data input of a matcher, and a matcher, both of which refuse their configuration. They have no parameters, as they look at none.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.2.0")
HOOK(matcher_data_input_config_new, 0) HOOK(matcher_data_input_config_destroy, 0) HOOK(matcher_data_input_get, 0)
HOOK(matcher_config_new, 0) HOOK(matcher_config_destroy, 0) HOOK(matcher_match, 0)
END
cc -shared -fPIC -o libprobe.so module.c

# routes PREDICATE: a listener whose routes are found by a matcher with this predicate.
routes() {
  configure <<END
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {pipe: {path: ./main.sock}}
  filter_chains:
  - filters:
    - name: http
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: main
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
        route_config:
          virtual_hosts:
          - name: all
            domains: ["*"]
            matcher:
              matcher_list:
                matchers:
                - predicate: {single_predicate: $1}
                  on_match: &found
                    action:
                      name: route
                      typed_config:
                        "@type": type.googleapis.com/envoy.config.route.v3.Route
                        match: {prefix: /}
                        direct_response: {status: 200}
              on_no_match: *found
END
}
# typed TYPE FIELDS: an extension in one line.
typed() { echo "{name: module, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.matching.$1, $2}}"; }
counted() { echo "$1: $(admin 'stats?filter=^dynamic_modules' | grep . || echo nothing is counted)"; }

module='dynamic_module_config: {name: probe}'
by_input="input: $(typed http.dynamic_modules.v3.DynamicModuleDataInput "input_name: probe, $module")"
by_header="input: $(typed http.dynamic_modules.v3.HttpDynamicModuleMatchInput '')"
by_matcher="custom_match: $(typed input_matchers.dynamic_modules.v3.DynamicModuleMatcher "matcher_name: probe, $module")"
routes "{$by_input, value_match: {exact: x}}"
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
counted "the input is refused"
routes "{$by_header, $by_matcher}"
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 2$"'
counted "the matcher is refused"
