. "$steps/common.sh"

. "$steps/clusters.sh"
cat > module.c <<'END'
// A health checker that refuses its configuration: config_new returns null.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.1.0")
HOOK(health_checker_config_new, 0) HOOK(health_checker_config_destroy, 0)
HOOK(health_checker_session_new, 0) HOOK(health_checker_session_destroy, 0)
HOOK(health_checker_session_on_interval, 0) HOOK(health_checker_session_on_timeout, 0)
END
cc -shared -fPIC -o libprobe.so module.c
clusters <<'END'
  health_checks:
  - timeout: 1s
    interval: 1s
    unhealthy_threshold: 1
    healthy_threshold: 1
    custom_health_check:
      name: module
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.health_checkers.dynamic_modules.v3.DynamicModuleHealthCheck
        health_checker_name: probe
        dynamic_module_config: {name: probe}
END
start
wait_for 'admin "stats?filter=cds.update_rejected" | grep -q ": 1$"'
grep -o -m 1 'Failed to initialize dynamic module health checker config' envoy.log
echo "counters of dynamic modules: $(admin 'stats?filter=^dynamic_modules' | grep -c .)"
