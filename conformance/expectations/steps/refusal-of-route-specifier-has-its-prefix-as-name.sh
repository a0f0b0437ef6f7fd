. "$steps/common.sh"

cat > module.c <<'END'
// A route specifier that refuses its configuration. It has no parameters, as it looks at none.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.2.0")
HOOK(route_specifier_config_new, 0) HOOK(route_specifier_config_destroy, 0) HOOK(route_specifier_on_route, 0)
END
cc -shared -fPIC -o libprobe.so module.c
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
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
        route_config:
          virtual_hosts:
          - name: all
            domains: ["*"]
            routes: [{match: {prefix: /}, direct_response: {status: 200}}]
            route_specifiers:
            - name: module
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.router.route_specifiers.dynamic_modules.v3.DynamicModuleRouteSpecifier
                dynamic_module_config: {name: probe, do_not_close: true}
                specifier_name: name_of_the_specifier
                stat_prefix: prefix
                failure_policy: PASS_THROUGH
END
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
admin 'stats?filter=^dynamic_modules'
